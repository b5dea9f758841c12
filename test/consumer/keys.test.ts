import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { openAdaptor } from '../../src/consumer/index.js';
import { createStreamLogger } from '../../src/core/index.js';
import { buildCommands, startCap, startStream } from '../support/cap.js';
import { startEchoingProvider } from '../support/echoing-provider.js';
import { eventually } from '../support/eventually.js';
import { FAKE_CLOUDS } from '../support/fake-provider/clouds.js';
import { RedisServer } from '../support/redis-server.js';

/** Like no provider's, so that nothing but knowing it takes it out. */
const KEY = 'correct-horse-battery-staple-0815';
const PASSWORD = 'another-password-4711';

describe.each(FAKE_CLOUDS)('the key of $title', ({ name, model, api, basePath }) => {
  test.each([400, 401, 403, 404, 429, 500])(
    'is in no error and no log, though the provider echoes it with %d',
    async (status) => {
      await using provider = await startEchoingProvider(status);
      const lines: string[] = [];
      const adaptor = await openAdaptor(name, {
        model,
        apiKey: KEY,
        baseUrl: `${provider.origin}${basePath}`,
        logger: createStreamLogger({ level: 'debug', stream: { write: (line: string) => lines.push(line) } }),
        ...(api ? { api } : {}),
      });
      const error = await adaptor.ask({ prompt: 'What?', images: [] }).catch((thrown: unknown) => thrown);
      await adaptor.close();
      expect(provider.requests).toBeGreaterThan(0);
      expect(error).toMatchObject({ code: expect.stringMatching(/^CAP_PROVIDER_/) });
      expect((error as Error).message).toContain('***');
      // With its causes, as a program prints it that does not catch it.
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(KEY);
      expect(lines.join('')).not.toContain(KEY);
    },
    120_000,
  );
});

describe('a watch, a worker and their queue', () => {
  beforeAll(buildCommands, 120_000);

  test('show neither a key nor a password: not in logs, answers, arguments, ledger, nor in Redis', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cap-keys-'));
    const ledger = join(folder, 'ledger');
    await using provider = await startEchoingProvider(400);
    await using redis = await RedisServer.start('--requirepass', PASSWORD);
    const { cap, url } = await startStream();
    try {
      const env = {
        CAP_QUEUE_URL: `redis://:${PASSWORD}@127.0.0.1:${redis.port}/0`,
        XDG_STATE_HOME: folder,
        // What the providers' own packages would write.
        OPENAI_LOG: 'debug',
        NODE_DEBUG: 'undici,fetch',
      };
      const asked = ['--provider', 'openai', '-v'];
      await using worker = startCap(['worker', ...asked, '--base-url', `${provider.origin}/v1`], {
        env: { ...env, OPENAI_API_KEY: KEY },
      });
      await worker.waitForOutput(/^asking openai/m, 60_000, 2);
      await using watch = startCap(['watch', url, ...asked, '--queue', '--json', '--ledger', ledger], { env });
      await watch.waitForOutput(/Incorrect API key provided/, 60_000, 2);
      await eventually(() => {
        expect(readFileSync(join(ledger, 'ledger.jsonl'), 'utf8')).toContain('Incorrect API key provided');
      });
      const processes = [worker, watch].map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
      const written = redis.written();
      expect(written).toContain('Incorrect API key provided');
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
      const said = [
        ...processes,
        ...[worker, watch].flatMap(({ stdout, stderr }) => [stdout, stderr]),
        ...files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')),
      ].join('\n');
      for (const secret of [KEY, PASSWORD]) {
        expect(said).not.toContain(secret);
        expect(written).not.toContain(secret);
      }
    } finally {
      await cap.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
