/** A construction or a word that readers stumble over, and what to write instead. */
type Obstacle = readonly [pattern: RegExp, instead: string];

/**
 * Constructions that have to be read twice. The check looks for them in each sentence, without its
 * code. Add what a reader marks.
 */
const constructions: readonly Obstacle[] = [
  [/\bas (?:\w+ )*as (?:may|can) be\b/i, 'a limit, or "as possible"'],
  [/\bas (?:\w+ )*as (?:you|it|they|one) (?:may|can)\b/i, 'a limit'],
  [/\b(?:is|are|was|were|be|been|being) told\b/i, 'who says what, or "distinguish"'],
  [/\btells? of\b|\btells? (?:whether|what|which|who|how|that)\b/i, '"says", "shows" or "has"'],
  [/\bwho(?:m)?ever\b|\bwhatever\b|\bhowever (?:many|much|long|often)\b/i, 'who or what it is'],
  [/\bso (?:many|much)\b/i, 'the number, or its setting'],
  [/\b(?:nobody|nothing|everybody|everything) (?:any|every)(?:thing|body)\b/i, 'a verb'],
  [/\b(?:by|of|for|to|with|than|but) who\b/i, 'a noun'],
  [/^Of\b/, 'the noun that the "of" belongs to'],
  [/^(?:What|Who|Whom|Whose|Why|Which)\b(?!.*\?$)/, 'a noun as the subject'],
  [/^(?:Where|How)\b(?! to\b)(?!.*\?$)/, 'a noun as the subject'],
  [/^Since when\b|^Until when\b|^(?:Of|By|From|To|With|For) (?:what|whom|which|when)\b/, 'a noun'],
  [/^(?:\w+ ){1,3}(?:is|are) (?:what|who|whose)\b/, 'the subject first'],
  [
    /^(?:Nor|Never|Seldom|Rarely|Hardly|Neither|Only then|No longer|So) (?:is|are|was|do|does|did|has|have|can|may|must|will)\b/,
    'the subject first',
  ],
  [
    /^(?:Shown|Allowed|Known|Needed|Refused|Decided|Written|Kept|Told|Meant) (?:is|are|was|were|here)\b/,
    'the subject first',
  ],
  [/^(?:Should|Were|Had) (?:it|they|you|the|a|an|this|that|no)\b/, '"If …"'],
  [
    /,? (?:nor|and so) (?:is|are|was|do|does|did|has|have|can|may|must|will)\b/i,
    'the subject first',
  ],
  [/; or\b|; so\b|; and\b|; but\b/, 'two sentences'],
  [/^the same\.$|\bread the same\b/i, 'the thing itself, again'],
  [/\bno more (?:members|values)\b/i, '"no other"'],
  [/\bonly in \w+, in\b/i, '"X, Y and Z have it"'],
  [/^Default, also\b/, 'two sentences'],
  [/\bpermits? .*(?<!to use) (?:\w+:[A-Z]\w+|these actions|the action)\b/i, '"allow … to use"'],
];

/** Words of our own, and what the field says. Add what a reader marks. */
const privateWords: readonly Obstacle[] = [
  [/\b(?:in|into) line\b|\blines? of (?:slices|jobs|callers)\b|\bwaiting lines?\b/i, 'queue'],
  [
    /\b(?:takes?|took|taking|waits?|waited|whose|its|their|your) turns?\b/i,
    'fair share, or "is served"',
  ],
  [/\bturned? away\b/i, 'reject'],
  [
    /\bAWS (?:\w+ )*(?:is|was|are|be|been) (?:\w+ )?asked\b|\basks? AWS\b|\basked of AWS\b/i,
    'call AWS',
  ],
  [/\bsettl(?:e|es|ed|ing)\b/i, 'reconcile'],
  [/\bstrays?\b/i, 'orphaned task'],
  [/\bdeeds?\b/i, 'audit context'],
  [/\bsift(?:s|ed|ing)?\b/i, 'filter'],
  [/\bheed(?:s|ed|ing)?\b/i, 'depend on'],
  [/\bjudg(?:e|es|ed|ing)\b/i, 'evaluate'],
  [/\bphantoms?\b/i, 'placeholder'],
  [/\boutr[ua]n\b/i, 'stale state'],
  [/\bhome of\b/i, 'storage backend'],
  [/\baskers?\b/i, 'caller'],
  [/\bwish(?:es)?\b/i, 'export job, or request'],
  [/\bseen through\b/i, 'completed or failed'],
  [/\bhardly\b/i, '"likely mistake", or "rarely"'],
  [/\blawful\b/i, 'valid'],
  [/\bmend(?:s|ed|ing)?\b/i, 'fix'],
  [/\bl(?:eave|eaves|eft|eaving) (?:it |them |\S+ )?out\b/i, 'omit'],
  [/\bbeyond (?:that|what)\b|\bfor ever\b/i, 'a limit, or "always"'],
  [/\bunder way\b/i, 'in progress, in flight'],
  [/\bt(?:ell|ells|old) apart\b/i, 'distinguish'],
  [/\bdemand(?:s|ed|ing)?\b/i, 'require'],
  [/\bt(?:akes?|ook|aking) a look\b/i, 'poll, or read'],
  [/\bhears?\b|\bheard\b/i, 'receive, or know'],
  [/\b(?:business|leave) to\b|\bfor you to know\b/i, '"you may see"'],
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
    'accepts?|adds|answer(?:s|ed)?|applies|appends|arrived|asked|assumes|begins?|breaks?|change[sd]?|checks|comes?|counts|creates|' +
    'decides?|deletes?|denied|ended|excludes|exceeded|fail(?:s|ed)|fetches|fits|forbids|found|gives|gave|happened|holds|' +
    'keep|leaves|lists|made|needs?|permits?|protects|refuse[sd]|removes|returns|runs|sends|sent|shares?|shows?|' +
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
    ...[...constructions, ...privateWords].flatMap(([pattern, instead]) => {
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
