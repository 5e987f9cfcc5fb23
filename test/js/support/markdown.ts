import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PROGRAM_MS = 50_000;

/** Folder of the package. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A fenced block of code. */
export interface Block {
  readonly language: string;
  readonly text: string;
}

/** What stands below one heading of the second level, its title included; or a whole document. */
export interface Section {
  readonly title: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

export function readDocument(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

export function blocksOf(markdown: string): Block[] {
  const fence = /^```(\w+)\n(.*?)^```$/gms;
  return [...markdown.matchAll(fence)].map(([, language = '', text = '']) => ({ language, text }));
}

export function sectionsOf(markdown: string): Section[] {
  // A line of code may begin with ##, too, but none of ours does.
  return markdown
    .split(/^(?=## )/m)
    .slice(1)
    .map((text) => ({ title: text.slice(3, text.indexOf('\n')), text, blocks: blocksOf(text) }));
}

/** A document as one section: its blocks are one program from top to bottom. */
export function wholeOf(title: string, markdown: string): Section {
  return { title, text: markdown, blocks: blocksOf(markdown) };
}

/** Rows of the tables in some text, each a list of cells; heads and the lines below them are left out. */
export function tableRows(markdown: string): string[][] {
  const rows: string[][] = [];
  const lines = markdown.split('\n');
  lines.forEach((line, i) => {
    if (!line.startsWith('|') || /^\|[-:| ]+\|$/.test(line) || /^\|[-:| ]+\|$/.test(lines[i + 1] ?? ''))
      return;
    // A bar inside a cell is written \|.
    const cells = line.split(/(?<!\\)\|/).slice(1, -1);
    rows.push(cells.map((cell) => cell.trim()));
  });
  return rows;
}

/** The words in `code` of some text. */
export function codeWords(markdown: string): string[] {
  return [...markdown.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}

/** What the JavaScript blocks of a section say that they print: the texts behind `// →`, a line each. */
export function promisedOutput({ blocks }: Section): string[] {
  const scripts = blocks.filter(({ language }) => language === 'js').map(({ text }) => text);
  return [...scripts.join('').matchAll(/\/\/ → (.*)$/gm)].map(([, line = '']) => line);
}

/**
 * The files of a section's JavaScript blocks: a block whose first line is `// name.mjs` is that file, the others
 * together, in order, are `main.mjs`.
 */
export function programOf({ blocks }: Section): Map<string, string> {
  const files = new Map<string, string>();
  for (const { language, text } of blocks) {
    if (language !== 'js') continue;
    const name = /^\/\/ (\w+\.mjs)\n/.exec(text)?.[1] ?? 'main.mjs';
    files.set(name, (files.get(name) ?? '') + text);
  }
  return files;
}

/** An empty folder inside the package, where `@strand/core` is the package itself. */
export function freshFolder(name: string): string {
  const folder = path.join(root, 'build/documents', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

export function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [name, text] of files) writeFileSync(path.join(folder, name), text);
}

/** What a section's program prints, a line each, and what it says that it prints. @param name of the folder it runs in */
export async function runProgram(
  name: string,
  section: Section,
): Promise<{ stdout: string[]; stderr: string; promised: string[] }> {
  const folder = freshFolder(name);
  writeFiles(folder, programOf(section));
  const { stdout, stderr } = await run(process.execPath, [path.join(folder, 'main.mjs')], {
    timeout: PROGRAM_MS,
  });
  return { stdout: stdout.trimEnd().split('\n'), stderr, promised: promisedOutput(section) };
}
