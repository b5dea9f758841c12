import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { registerPresets } from '../../src/cli/commands/presets.js';
import { CapError } from '../../src/core/index.js';

let configHome: string;
beforeEach(() => {
  configHome = mkdtempSync(join(tmpdir(), 'cap-config-'));
  vi.stubEnv('XDG_CONFIG_HOME', configHome);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(configHome, { recursive: true, force: true });
});

/** What `cap presets` with these arguments prints. */
function presets(...args: string[]): string {
  let printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
  const program = new Command().exitOverride();
  registerPresets(program);
  program.parse(['presets', ...args], { from: 'user' });
  return printed;
}

function usageError(...args: string[]): CapError {
  try {
    presets(...args);
  } catch (error) {
    if (error instanceof CapError && error.code === 'CAP_USAGE') return error;
    throw error;
  }
  throw new Error(`accepted: ${args.join(' ')}`);
}

describe('cap presets', () => {
  test('prints an aligned table that names the model it counts for', () => {
    expect(presets('--source', '1920x1080')).toBe(
      `1920x1080 at each preset; tokens of one picture as claude-opus-4-7 counts them

PRESET   PIXELS      SIZE      SENT  TOKENS
p2_56    1/2.56  1200x676  1176x672    1008
p4          1/4   960x540   952x532     646
p6_9      1/6.9   730x412   694x392     350
p9          1/9   640x360   640x360     299
p10_24  1/10.24   600x338   588x336     252
`,
    );
  });

  test('is about 1920x1080 unless told otherwise', () => {
    expect(presets()).toBe(presets('--source', '1920x1080'));
    expect(presets('--source', '1280x720')).toContain('640x360');
  });

  test('--json prints rows of name, factor, width, height and tokens', () => {
    const rows: unknown = JSON.parse(presets('--source', '1280x720', '--model', 'gpt-4o', '--json'));
    expect(rows).toHaveLength(5);
    const sent = { width: 640, height: 360 };
    expect(rows).toContainEqual({ name: 'p4', factor: 4, width: 640, height: 360, sent, tokens: 425 });
  });

  test('--model and --max-long-side change what they say', () => {
    const text = presets('--model', 'gpt-4o', '--max-long-side', '640');
    expect(text).toContain('as gpt-4o counts them');
    expect(text).toMatch(/p4 .* 640x360 +640x360 +425\n/);
  });

  test('--every adds the price of an hour, and what it rests on', () => {
    expect(presets('--model', 'gpt-5.6-luna', '--every', '5s')).toBe(
      `1920x1080 at each preset; tokens of one picture as gpt-5.6-luna counts them
$/HOUR: pictures alone, one every 5 s, at $0.2 for a million tokens (OpenAI's page of the model, 2026-11-21)

PRESET   PIXELS      SIZE      SENT  TOKENS  $/HOUR
p2_56    1/2.56  1200x676  1184x672     933   0.134
p4          1/4   960x540   960x540     612  0.0881
p6_9      1/6.9   730x412   730x412     359  0.0517
p9          1/9   640x360   625x352     264  0.0380
p10_24  1/10.24   600x338   576x320     216  0.0311
`,
    );
    expect(presets('--every', '1m', '--price', '3')).toContain('one every 60 s, at $3 for a million tokens\n');
  });

  test('a model that only its family is known of is counted with a warning', () => {
    const warned: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => warned.push(String(text)) > 0);
    expect(presets('--model', 'gpt-6-luna')).toContain('as gpt-6-luna counts them');
    expect(warned).toEqual(['warn: the model "gpt-6-luna" is not in the tables: assumed to count as gpt-6-astra\n']);
  });

  test('--gundam prints the grid', () => {
    expect(presets('--gundam', '--source', '1920x1080')).toBe(
      `1920x1080 in Gundam mode with at most 9 tiles; tokens as DeepSeek-OCR counts them

GRID  TILES         GLOBAL     TOKENS
4x2   8 of 640x640  1024x1024    1093
`,
    );
    expect(presets('--gundam', '--source', '640x360')).toMatch(/none +none +1024x1024 +273\n/);
  });

  test('--gundam --json prints grid, tiles, global and tokens', () => {
    expect(JSON.parse(presets('--gundam', '--json'))).toStrictEqual({
      grid: { columns: 4, rows: 2 },
      tiles: 8,
      global: { width: 1024, height: 1024 },
      tokens: 1093,
    });
    expect(JSON.parse(presets('--gundam', '--max-crops', '6', '--json'))).toMatchObject({ tiles: 2, tokens: 483 });
  });

  test.each([
    [['--source', '1920'], 'expected a size such as 1920x1080 for --source, received "1920"'],
    [['--source', '0x5'], 'expected a size such as 1920x1080 for --source, received "0x5"'],
    [['--max-long-side', '8'], 'expected a whole number from 16 to 16384 for --max-long-side, received 8'],
    [['--max-long-side', 'x'], 'expected a whole number from 16 to 16384 for --max-long-side, received "x"'],
    [['--gundam', '--max-crops', '7'], 'expected 9 or 6 for --max-crops, received "7"'],
    [['--max-crops', '6'], '--max-crops is for --gundam'],
    [['--gundam', '--model', 'gpt-4o'], '--model cannot be used with --gundam'],
    [['--gundam', '--max-long-side', '640'], '--max-long-side cannot be used with --gundam'],
    [['--gundam', '--every', '5s'], '--every cannot be used with --gundam'],
    [['--price', '1'], '--price is for --every'],
    [
      ['--every', '5s', '--price', 'free'],
      'expected dollars for a million tokens, such as 0.20 for --price, received "free"',
    ],
    [['--every', '5s'], 'the price of the model "claude-opus-4-7" is not known'],
    [['--model', 'abacus'], 'it is not known how the model "abacus" counts tokens'],
  ])('refuses %j', (args, message) => {
    expect(usageError(...args).message).toBe(message);
  });
});
