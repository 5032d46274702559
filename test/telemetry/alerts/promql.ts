import { parser } from '@prometheus-io/lezer-promql';

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

/** A condition on a label: `state=~"ready|running"`. */
export interface Matcher {
  label: string;
  operator: string;
  value: string;
}

/** A metric that an expression reads, and its matchers. */
interface Selector {
  metric: string;
  matchers: Matcher[];
}

/** What an expression of PromQL reads. */
interface ParsedExpression {
  /** The first place that is no PromQL, if there is one. */
  error: string | undefined;
  selectors: Selector[];
  /** The labels of its `by`, `without`, `on` and `ignoring`. */
  groupings: string[];
}

/** Parses an expression of PromQL. */
export function parsePromql(expression: string): ParsedExpression {
  const parsed: ParsedExpression = { error: undefined, selectors: [], groupings: [] };
  const textOf = ({ from, to }: { from: number; to: number }) => expression.slice(from, to);
  parser.parse(expression).iterate({
    enter({ name, type, node, from }) {
      if (type.isError) parsed.error ??= expression.slice(Math.max(0, from - 20), from + 20);
      if (name === 'VectorSelector') parsed.selectors.push(readSelector(node, textOf));
      if (name === 'GroupingLabels') {
        parsed.groupings.push(...node.getChildren('LabelName').map(textOf));
      }
    },
  });
  return parsed;
}

function readSelector(node: SyntaxNode, textOf: (node: SyntaxNode) => string): Selector {
  const name = node.getChild('Identifier');
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
  return {
    metric: name ? textOf(name) : '',
    matchers: matchers.map((matcher) => {
      const [label = '', operator = '', literal = ''] = [
        'LabelName',
        'MatchOp',
        'StringLiteral',
      ].map((part) => {
        const found = matcher.getChild(part);
        return found ? textOf(found) : '';
      });
      return { label, operator, value: literal.slice(1, -1) };
    }),
  };
}
