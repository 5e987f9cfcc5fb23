import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadNative } from '../../dist/native.js';

const checkout = new URL('../../', import.meta.url);
const [prebuild] = readdirSync(new URL('prebuilds/', checkout)).filter((name) =>
  name.startsWith(process.platform),
);

/** A package folder below `parent` with the addon's bytes and the sources' hash given. */
function packageAt(parent: string, addon: Buffer | undefined, abi: string): URL {
  const directory = path.join(parent, 'core');
  mkdirSync(path.join(directory, 'dist'), { recursive: true });
  mkdirSync(path.join(directory, 'prebuilds'));
  writeFileSync(path.join(directory, 'dist/abi.json'), JSON.stringify({ abi }));
  if (addon) writeFileSync(path.join(directory, 'prebuilds', prebuild as string), addon);
  return pathToFileURL(`${directory}/`);
}

describe('loadNative', () => {
  let scratch: string;
  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), 'strand-native-'));
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  const built = () => readFileSync(new URL(`prebuilds/${prebuild}`, checkout));
  const { abi } = JSON.parse(readFileSync(new URL('dist/abi.json', checkout), 'utf8'));

  test('loads the addon built from the sources that the package names', () => {
    expect(loadNative(packageAt(scratch, built(), abi)).abi).toBe(abi);
  });

  test('names the missing file and the command that builds it in a checkout', () => {
    const root = packageAt(scratch, undefined, abi);
    expect(() => loadNative(root)).toThrow(
      expect.objectContaining({
        code: 'ERR_STRAND_NATIVE',
        message: expect.stringMatching(
          new RegExp(`prebuilds.${prebuild} does not exist.*: npm run build:native `),
        ),
      }),
    );
  });

  test('names the command for an installed package', () => {
    const root = packageAt(path.join(scratch, 'node_modules/@strand'), undefined, abi);
    expect(() => loadNative(root)).toThrow(/npm explore @strand\/core -- npm run build:native/);
  });

  test('refuses an addon built from other sources', () => {
    const root = packageAt(scratch, built(), '0'.repeat(16));
    expect(() => loadNative(root)).toThrow(
      expect.objectContaining({
        code: 'ERR_STRAND_NATIVE',
        message: expect.stringMatching(/stale.*npm run build /),
      }),
    );
  });

  test('says why an addon does not load and keeps the cause', () => {
    const root = packageAt(scratch, Buffer.from('not a library'), abi);
    expect(() => loadNative(root)).toThrow(
      expect.objectContaining({ code: 'ERR_STRAND_NATIVE', cause: expect.any(Error) }),
    );
  });
});
