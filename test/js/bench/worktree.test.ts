import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../../../bench/harness/command.mjs';
import { describeCommit, resolveCommit } from '../../../bench/harness/commit.mjs';
import { withWorktree } from '../../../bench/harness/worktree.mjs';

let repository: string;

const git = (...args: string[]): string =>
  execFileSync(
    'git',
    ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false', ...args],
    {
      cwd: repository,
      encoding: 'utf8',
    },
  );

function commitContent(content: string): void {
  writeFileSync(path.join(repository, 'file'), content);
  git('add', '.');
  git('commit', '--quiet', '-m', content);
}

const worktrees = (): number => git('worktree', 'list').trim().split('\n').length;

beforeAll(() => {
  repository = mkdtempSync(path.join(os.tmpdir(), 'strand-worktree-'));
  git('init', '--quiet');
  commitContent('old');
  commitContent('new');
});

afterAll(() => rmSync(repository, { recursive: true }));

describe('withWorktree', () => {
  test('gives the files of the commit and leaves the checkout alone', async () => {
    const commit = resolveCommit('HEAD~1', repository);
    const seen = await withWorktree({ repository, commit }, async (directory: string) =>
      readFileSync(path.join(directory, 'file'), 'utf8'),
    );
    expect(seen).toBe('old');
    expect(readFileSync(path.join(repository, 'file'), 'utf8')).toBe('new');
  });

  test('removes the worktree when its user is done', async () => {
    const commit = resolveCommit('HEAD~1', repository);
    const directory = await withWorktree({ repository, commit }, async (used: string) => used);
    expect(existsSync(path.dirname(directory))).toBe(false);
    expect(worktrees()).toBe(1);
  });

  test('removes the worktree when its user fails', async () => {
    const commit = resolveCommit('HEAD~1', repository);
    let directory = '';
    const failing = withWorktree({ repository, commit }, async (used: string) => {
      directory = used;
      throw new Error('the build failed');
    });
    await expect(failing).rejects.toThrow('the build failed');
    expect(existsSync(path.dirname(directory))).toBe(false);
    expect(worktrees()).toBe(1);
  });

  test('ends what runs in the worktree, and removes it, when it is aborted', async () => {
    const commit = resolveCommit('HEAD~1', repository);
    const controller = new AbortController();
    const { signal } = controller;
    let directory = '';
    const aborted = withWorktree({ repository, commit, signal }, async (used: string) => {
      directory = used;
      const script = "require('fs').writeFileSync('started', ''); setInterval(() => {}, 1000)";
      const running = runCommand(process.execPath, ['-e', script], { cwd: used, signal });
      const started = path.join(used, 'started');
      while (!existsSync(started)) await new Promise((resolve) => setImmediate(resolve));
      controller.abort(new Error('interrupted'));
      await running;
    });
    await expect(aborted).rejects.toThrow('interrupted');
    expect(existsSync(path.dirname(directory))).toBe(false);
    expect(worktrees()).toBe(1);
  });
});

describe('resolveCommit', () => {
  test('refuses what names no commit', () => {
    expect(() => resolveCommit('no-such-revision', repository)).toThrow("'no-such-revision' names no commit");
  });
});

describe('describeCommit', () => {
  test('tells a changed checkout from a clean one', () => {
    const hash = git('rev-parse', 'HEAD').trim();
    expect(describeCommit(repository)).toStrictEqual({ hash, dirty: false });
    writeFileSync(path.join(repository, 'file'), 'changed');
    expect(describeCommit(repository)).toStrictEqual({ hash, dirty: true });
    git('checkout', '--quiet', 'file');
  });

  test('knows no commit outside of a repository', () => {
    expect(describeCommit(os.tmpdir())).toBeUndefined();
  });
});

describe('runCommand', () => {
  test('fails with what the program said', async () => {
    const running = runCommand(process.execPath, ['-e', "console.error('no compiler'); process.exit(3)"], {
      cwd: repository,
    });
    await expect(running).rejects.toThrow(/ended with 3:\nno compiler/);
  });
});
