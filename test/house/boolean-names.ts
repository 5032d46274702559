import type { Node } from 'typescript/unstable/ast';
import {
  isIdentifier,
  isImportSpecifier,
  isPropertyAccessExpression,
} from 'typescript/unstable/ast/is';
import {
  type Checker,
  type Project,
  SignatureKind,
  type Type,
  TypeFlags,
} from 'typescript/unstable/sync';

const prefix = /^(?:is|has|may|can)[A-Z]/;
const plain = TypeFlags.BooleanLike | TypeFlags.Undefined | TypeFlags.Null | TypeFlags.Never;

/**
 * Finds declared names that begin like a question, but whose type is not boolean. If `mayDo()` returns
 * an object, `if (mayDo())` compiles and is always true.
 */
export function findFalseQuestions({ program, checker }: Project, folder: string): string[] {
  const files = program.getSourceFileNames().filter((file) => file.startsWith(folder));
  const found = files.flatMap((file) => {
    const names = declaredNames(program.getSourceFile(file) as Node);
    const types = checker.getTypeAtLocation(names);
    const wrong = names.filter((_name, index) => !isAnswer(checker, types[index]));
    return wrong.map((name) => `${file.slice(folder.length)}: ${name.getText()}`);
  });
  return [...new Set(found)];
}

/** Names that begin like a question, where they are declared. Names from elsewhere are not ours to choose. */
function declaredNames(file: Node): Node[] {
  const found: Node[] = [];
  const visit = (node: Node): void => {
    const isUse = isPropertyAccessExpression(node) || isImportSpecifier(node);
    const { name } = node as { name?: Node };
    if (!isUse && name && isIdentifier(name) && prefix.test(name.text)) found.push(name);
    node.forEachChild(visit);
  };
  file.forEachChild(visit);
  return found;
}

/** Whether it is a boolean, a function that returns one, or the schema of one. */
function isAnswer(checker: Checker, type: Type | undefined): boolean {
  if (!type) return false;
  if (type.flags & plain) return true;
  if (type.isUnionType()) {
    return type.getTypes().every((part) => isBit(part) || isAnswer(checker, part));
  }
  const schema = checker.getPropertyOfType(type, 'static');
  if (schema) return isBoolean(checker.getTypeOfSymbol(schema));
  const signatures = checker.getSignaturesOfType(type, SignatureKind.Call);
  return (
    signatures.length > 0 &&
    signatures.every((signature) => {
      const answer = checker.getReturnTypeOfSignature(signature);
      // The compiler refuses a promise as a condition.
      const isPromise = answer?.isTypeReference() && answer.getSymbol()?.name === 'Promise';
      return isBoolean(isPromise ? checker.getTypeArguments(answer)[0] : answer);
    })
  );
}

function isBoolean(type: Type | undefined): boolean {
  return type !== undefined && (type.flags & TypeFlags.BooleanLike) !== 0;
}

/** Whether it is 0 or 1: SQLite has no booleans. */
function isBit(type: Type): boolean {
  return type.isNumberLiteralType() && (type.value === 0 || type.value === 1);
}
