/** The files that hold a run: one for each case. */

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * @typedef {object} Result
 * @property {string} name of the case
 * @property {string} title
 * @property {number} threads
 * @property {string} date in ISO 8601
 * @property {import('./commit.mjs').Commit} [commit]
 * @property {ReturnType<typeof import('./report.mjs').describeMachine>} machine
 * @property {number} trials of each contender
 * @property {string[]} warnings
 * @property {Record<string, import('../js/cases/case.mjs').Metric>} metrics
 * @property {import('./summary.mjs').Row[]} rows
 */

/**
 * @param {string} directory
 * @param {Result} result
 */
export async function writeResult(directory, result) {
  await mkdir(directory, { recursive: true });
  const text = JSON.stringify(result, roundNumbers, 2);
  const compact = text.replace(/"runs": \[[^\]]*\]/g, (list) => list.replace(/\s+/g, ' '));
  await writeFile(path.join(directory, `${result.name}.json`), `${compact}\n`);
}

/**
 * @param {string} directory
 * @returns {Promise<Map<string, Result>>} by the case's name; empty where there is no such directory
 */
export async function readResults(directory) {
  const files = await readdir(directory).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const results = new Map();
  for (const file of files.filter((name) => name.endsWith('.json')).sort()) {
    const result = JSON.parse(await readFile(path.join(directory, file), 'utf8'));
    results.set(result.name, result);
  }
  return results;
}

/** More digits than any clock here is good for. */
function roundNumbers(_key, value) {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}
