/**
 * Sees that no object is asked for a word that came from outside as if it knew only its own: `object[word]`, where the
 * object has an index signature and the word is any string, finds `constructor` in every object, and an assignment to
 * `object['__proto__']` gets lost. Such reads go through `own`, writes through `put` (src/api/meta/words.ts). Reading
 * the very object that a `for … in` goes over is fine, and so is `delete`, which takes only what is there.
 *
 * The linter sees no types, so this asks the compiler. It also sees itself refuse: a check that can't fail is no check.
 *
 *   node scripts/check-words.ts
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  type BinaryExpression,
  type ElementAccessExpression,
  isBinaryExpression,
  isDeleteExpression,
  isElementAccessExpression,
  isForInStatement,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { API, type Checker } from 'typescript/unstable/sync';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src');
const wordsFile = join(source, 'api/meta/words.ts');
const probeFile = join(source, 'api/words-check-probe.ts');

interface Finding {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

const wrong = [
  { name: 'a table', text: 'table[word]' },
  { name: 'a map that may be absent', text: 'labels?.[word]' },
  { name: 'a field that is written', text: "copy[word] = 'x'" },
  { name: 'a word that is asked for', text: 'word in table' },
] as const;
const right = ['own(table, word)', "put(copy, word, 'x')", "table['a']", 'Object.hasOwn(table, word)'];
const probe = `import { own, put } from './meta/words.ts';

export function probe(word: string, table: Readonly<Record<string, string>>, labels?: Readonly<Record<string, string>>): unknown[] {
  const copy: Record<string, string> = {};
  const found: unknown[] = [];
  for (const key in table) found.push(table[key]);
  ${[...right, ...wrong.map(({ text }) => text)].map((text) => `found.push(${text});`).join('\n  ')}
  return found;
}
`;

function findIn(file: SourceFile, checker: Checker): readonly Finding[] {
  const accesses: ElementAccessExpression[] = [];
  const questions: BinaryExpression[] = [];
  const visit = (node: Node): void => {
    if (isElementAccessExpression(node) && !isDeleteExpression(node.parent) && !isOfLoop(node, file)) accesses.push(node);
    if (isBinaryExpression(node) && node.operatorToken.kind === SyntaxKind.InKeyword) questions.push(node);
    node.forEachChild(visit);
  };
  visit(file);
  const pairs = [
    ...accesses.map((node) => ({ node, object: node.expression, word: node.argumentExpression })),
    ...questions.map((node) => ({ node, object: node.right, word: node.left })),
  ];
  return pairs
    .filter(({ object, word }) => {
      if (textOf(checker, word) !== 'string') return false;
      const type = checker.getTypeAtLocation(object);
      const present = type && checker.getNonNullableType(type);
      return (
        present !== undefined && checker.getIndexInfosOfType(present).some(({ keyType }) => checker.typeToString(keyType) === 'string')
      );
    })
    .map(({ node }) => ({
      file: relative(root, file.fileName),
      line: file.text.slice(0, node.end).split('\n').length,
      text: file.text.slice(node.pos, node.end).trim(),
    }));
}

function textOf(checker: Checker, node: Node): string {
  const type = checker.getTypeAtLocation(node);
  return type ? checker.typeToString(type) : '';
}

/** `for (const key in object) … object[key]` */
function isOfLoop(node: ElementAccessExpression, file: SourceFile): boolean {
  const text = (part: Node): string => file.text.slice(part.pos, part.end).trim();
  for (let at: Node | undefined = node.parent; at; at = at.parent) {
    if (!isForInStatement(at) || text(at.expression) !== text(node.expression)) continue;
    if (text(at.initializer).replace(/^(const|let)\s+/, '') === text(node.argumentExpression)) return true;
  }
  return false;
}

function findAll(): readonly Finding[] {
  const api = new API({ cwd: root });
  try {
    const [project] = api.updateSnapshot({ openProject: join(root, 'tsconfig.json') }).getProjects();
    if (!project) throw new Error('there is no project');
    const files = project.program.getSourceFileNames().filter((name) => name.startsWith(source) && isChecked(name));
    if (!files.includes(probeFile)) throw new Error('the probe is not part of the project');
    return files.flatMap((name) => {
      const file = project.program.getSourceFile(name);
      return file ? findIn(file, project.checker) : [];
    });
  } finally {
    api.close();
  }
}

const isChecked = (name: string): boolean => name !== wordsFile && !name.includes('/generated/') && !name.endsWith('.test.ts');

writeFileSync(probeFile, probe);
let findings: readonly Finding[];
try {
  findings = findAll();
} finally {
  rmSync(probeFile);
}
const probePath = relative(root, probeFile);
const refused = findings.filter(({ file }) => file === probePath).map(({ text }) => text);
const expected = wrong.map(({ text }) => text.replace(/ = .*/, ''));
const found = findings.filter(({ file }) => file !== probePath);
for (const { file, line, text } of found) console.error(`${file}:${line}: ${text}: read it by own(), write it by put()`);
if (JSON.stringify(refused.toSorted()) !== JSON.stringify(expected.toSorted())) {
  console.error(`the check does not hold: it refused ${refused.join(', ')} of its probe`);
  process.exit(1);
}
if (found.length) process.exit(1);
console.log(`words: ${expected.length} wrong accesses, all refused; none in src`);
