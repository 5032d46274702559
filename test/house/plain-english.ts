/** A construction or a word that readers stumble over. */
interface Obstacle {
  pattern: RegExp;
  /** What to write instead. */
  instead: string;
}

/**
 * Constructions that a reader with another first language has to read twice. They are looked for in
 * each sentence, without its code. Add what a reader marks.
 */
const constructions: readonly Obstacle[] = [
  { pattern: /\bas (?:\w+ )*as (?:may|can) be\b/i, instead: 'a limit, or "as possible"' },
  { pattern: /\bas (?:\w+ )*as (?:you|it|they|one) (?:may|can)\b/i, instead: 'a limit' },
  {
    pattern: /\b(?:is|are|was|were|be|been|being) told\b/i,
    instead: 'who says what, or "distinguish"',
  },
  {
    pattern: /\btells? of\b|\btells? (?:whether|what|which|who|how|that)\b/i,
    instead: '"says", "shows" or "has"',
  },
  {
    pattern: /\bwho(?:m)?ever\b|\bwhatever\b|\bhowever (?:many|much|long|often)\b/i,
    instead: 'who or what it is',
  },
  { pattern: /\bso (?:many|much)\b/i, instead: 'the number, or its setting' },
  {
    pattern: /\b(?:nobody|nothing|everybody|everything) (?:any|every)(?:thing|body)\b/i,
    instead: 'a verb',
  },
  { pattern: /\b(?:by|of|for|to|with|than|but) who\b/i, instead: 'a noun' },
  { pattern: /^Of\b/, instead: 'the noun that the "of" belongs to' },
  { pattern: /^(?:What|Who|Whom|Whose|Why|Which)\b(?!.*\?$)/, instead: 'a noun as the subject' },
  { pattern: /^(?:Where|How)\b(?! to\b)(?!.*\?$)/, instead: 'a noun as the subject' },
  {
    pattern: /^Since when\b|^Until when\b|^(?:Of|By|From|To|With|For) (?:what|whom|which|when)\b/,
    instead: 'a noun',
  },
  { pattern: /^(?:\w+ ){1,3}(?:is|are) (?:what|who|whose)\b/, instead: 'the subject first' },
  {
    pattern:
      /^(?:Nor|Never|Seldom|Rarely|Hardly|Neither|Only then|No longer|So) (?:is|are|was|do|does|did|has|have|can|may|must|will)\b/,
    instead: 'the subject first',
  },
  {
    pattern:
      /^(?:Shown|Allowed|Known|Needed|Refused|Decided|Written|Kept|Told|Meant) (?:is|are|was|were|here)\b/,
    instead: 'the subject first',
  },
  { pattern: /^(?:Should|Were|Had) (?:it|they|you|the|a|an|this|that|no)\b/, instead: '"If …"' },
  {
    pattern: /,? (?:nor|and so) (?:is|are|was|do|does|did|has|have|can|may|must|will)\b/i,
    instead: 'the subject first',
  },
  { pattern: /; or\b|; so\b|; and\b|; but\b/, instead: 'two sentences' },
];

/** Words of our own, and what the field says. Add what a reader marks. */
const privateWords: readonly Obstacle[] = [
  {
    pattern: /\b(?:in|into) line\b|\blines? of (?:slices|jobs|callers)\b|\bwaiting lines?\b/i,
    instead: 'queue',
  },
  {
    pattern: /\b(?:takes?|took|taking|waits?|waited|whose|its|their|your|in) turns?\b/i,
    instead: 'fair share, or "is served"',
  },
  { pattern: /\bturned? away\b/i, instead: 'reject' },
  {
    pattern:
      /\bAWS (?:\w+ )*(?:is|was|are|be|been) (?:\w+ )?asked\b|\basks? AWS\b|\basked of AWS\b/i,
    instead: 'call AWS',
  },
  { pattern: /\bsettl(?:e|es|ed|ing)\b/i, instead: 'reconcile' },
  { pattern: /\bstrays?\b/i, instead: 'orphaned task' },
  { pattern: /\bdeeds?\b/i, instead: 'audit context' },
  { pattern: /\bsift(?:s|ed|ing)?\b/i, instead: 'filter' },
  { pattern: /\bheed(?:s|ed|ing)?\b/i, instead: 'depend on' },
  { pattern: /\bjudg(?:e|es|ed|ing)\b/i, instead: 'evaluate' },
  { pattern: /\bphantoms?\b/i, instead: 'placeholder' },
  { pattern: /\boutr[ua]n\b/i, instead: 'stale state' },
  { pattern: /\bhome of\b/i, instead: 'storage backend' },
  { pattern: /\baskers?\b/i, instead: 'caller' },
  { pattern: /\bwish(?:es)?\b/i, instead: 'export job, or request' },
  { pattern: /\bseen through\b/i, instead: 'completed or failed' },
  { pattern: /\bhardly\b/i, instead: '"likely mistake", or "rarely"' },
  { pattern: /\blawful\b/i, instead: 'valid' },
  { pattern: /\bmend(?:s|ed|ing)?\b/i, instead: 'fix' },
  { pattern: /\bl(?:eave|eaves|eft|eaving) (?:it |them |\S+ )?out\b/i, instead: 'omit' },
  { pattern: /\bbeyond (?:that|what)\b|\bfor ever\b/i, instead: 'a limit, or "always"' },
  { pattern: /\bunder way\b/i, instead: 'in progress, in flight' },
  {
    pattern: /\bnot to be told apart\b|\btell(?:s)? apart\b|\btold apart\b/i,
    instead: 'distinguish',
  },
  { pattern: /\bhears?\b|\bheard\b/i, instead: 'receive, or know' },
  { pattern: /\b(?:business|leave) to\b|\bfor you to know\b/i, instead: '"you may see"' },
];

/**
 * The words that a sentence may have. A span of code is one word, and so is a list of names, because
 * they are read at one glance. Text in parentheses and text after a colon are sentences of their own.
 * Higher: two statements fit into one sentence. Lower: a condition and its result need two.
 */
const maxWords = 20;

/** The verbs of the explanations and details of problems. Add those that are missing. */
const verbs = new RegExp(
  String.raw`\b(?:is|are|was|were|be|has|have|had|do|does|did|can|cannot|may|must|will|would|could|should|` +
    'accepts?|answer(?:s|ed)?|applies|appends|asked|begins?|breaks?|changed|checks|come|counts|creates|' +
    'decides?|denied|ended|excludes|exceeded|failed|fetches|fits|forbids|found|gives|gave|happened|holds|' +
    'keep|leaves|lists|needs?|permits?|protects|refuse[sd]|removes|returns|runs|sends|sent|shares?|shows?|' +
    String.raw`stays|supports|waits|work|writes)\b`,
  'i',
);

/** Whether a text has a sentence that ends with a full stop and has no verb. */
export function hasVerblessSentence(text: string): boolean {
  const sentences = text.replaceAll(/`[^`]*`/g, 'CODE').split(/(?<=[.!?])\s+/);
  return sentences.some((sentence) => /\w.*\.$/.test(sentence) && !verbs.test(sentence));
}

/** The sentences of a text. A line, an item after a colon and a parenthesis are sentences of their own. */
export function sentencesOf(text: string): string[] {
  const plain = text.replaceAll(/`[^`]*`/g, 'CODE').replaceAll(/"[^"]*"/g, 'QUOTE');
  const inside: string[] = [];
  const outside = plain.replaceAll(/\s*\(([^()]*)\)/g, (_whole, words: string) => {
    inside.push(words);
    return '';
  });
  return [outside, ...inside]
    .flatMap((part) => part.split(/(?<=[.!?])\s+|\n+|:\s+/))
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');
}

/** What in a text makes a reader stumble, each with what to write instead; empty for a plain text. */
export function obstaclesIn(text: string): string[] {
  return sentencesOf(text).flatMap((sentence) => [
    ...[...constructions, ...privateWords].flatMap(({ pattern, instead }) => {
      const found = pattern.exec(sentence)?.[0];
      return found === undefined ? [] : [`"${found}" in "${sentence}": write ${instead}`];
    }),
    ...tooLong(sentence),
  ]);
}

function tooLong(sentence: string): string[] {
  // A list of names is read as one item after the other.
  const withoutLists = sentence.replaceAll(/\S+, (?:\S+, )+(?:(?:and|or) )?\S+/g, 'LIST');
  const { length } = withoutLists.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  return length <= maxWords ? [] : [`${length} words in "${sentence}": write two sentences`];
}
