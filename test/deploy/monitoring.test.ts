import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildCommands } from '../support/cap.js';
import { ServedConfig, TEST_MOUNT } from '../support/gateway.js';

const read = (path: string): string => readFileSync(resolve(import.meta.dirname, '../../deploy', path), 'utf8');
const metricsIn = (text: string): string[] => [...new Set(text.match(/\bcap_[a-z_]+\b/g))].sort();

interface Panel {
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}
const panels = (JSON.parse(read('grafana/cap.json')) as { panels: Panel[] }).panels;

/** Names and help texts of all that cap serve measures. */
let measured: ReadonlyMap<string, string>;
beforeAll(async () => {
  await buildCommands();
  await using gateway = await ServedConfig.start(`[http]\nport = 0\n[metrics]\nport = 0\n[mounts.a]\n${TEST_MOUNT}`);
  const [, url = ''] = await gateway.command.waitForOutput(/^metrics at (http:\S+)$/m);
  const lines = (await (await fetch(url)).text()).matchAll(/^# HELP (\S+) (.+)$/gm);
  measured = new Map([...lines].map(([, name = '', help = '']) => [name, help]));
});

test('the dashboard shows each metric of a gateway, and asks for no other', () => {
  const asked = metricsIn(panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n'));
  expect(asked).toEqual([...measured.keys()].sort());
});

test('its panels do not lie on each other', () => {
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    expect(x + w).toBeLessThanOrEqual(24);
    return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`);
  });
  expect(new Set(cells).size).toBe(cells.length);
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
});

test('counters are counted up, gauges are not', () => {
  for (const { targets } of panels) {
    for (const { expr } of targets) {
      for (const [, wrapper, name = ''] of expr.matchAll(/(rate\(|increase\()?(cap_[a-z_]+)/g)) {
        expect([name, wrapper !== undefined]).toEqual([name, name.endsWith('_total')]);
      }
    }
  }
});

test('alerts ask for what is measured', () => {
  const asked = metricsIn(read('prometheus/alerts.yml'));
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((name) => !measured.has(name))).toEqual([]);
});
