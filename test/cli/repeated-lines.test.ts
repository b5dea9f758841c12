import { beforeEach, expect, test } from 'vitest';
import { RepeatedLines } from '../../src/cli/repeated-lines.js';

let said: string[];
let lines: RepeatedLines;
beforeEach(() => {
  said = [];
  lines = new RepeatedLines((line) => said.push(line));
});

test('a line is said at once, and its repetitions when something else happens', () => {
  for (const line of ['down', 'down', 'down', 'down']) lines.say(line);
  expect(said).toEqual(['down']);
  lines.settle();
  expect(said).toEqual(['down', '… again (3 times)']);
});

test('another line ends the count', () => {
  for (const line of ['down', 'down', 'refused', 'down']) lines.say(line);
  expect(said).toEqual(['down', '… again', 'refused', 'down']);
});

test('after it was settled the same line is news', () => {
  lines.say('down');
  lines.settle();
  lines.settle();
  lines.say('down');
  expect(said).toEqual(['down', 'down']);
});
