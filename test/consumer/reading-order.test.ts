import { expect, test } from 'vitest';
import { joinOverlapping } from '../../src/consumer/ocr/reading-order.js';

const build = { x: 12, y: 112, width: 90, height: 19 };
const number = { x: 82, y: 113, width: 121, height: 19 };

test('halves of a line that overlap become one box, in whatever order they come', () => {
  const whole = { x: 12, y: 112, width: 191, height: 20 };
  expect(joinOverlapping([build, number])).toEqual([whole]);
  expect(joinOverlapping([number, build])).toEqual([whole]);
});

test('neighbours that do not touch, and lines above each other, stay apart', () => {
  const far = { ...number, x: 120 };
  const below = { ...number, y: 142 };
  expect(joinOverlapping([build, far])).toEqual([build, far]);
  expect(joinOverlapping([build, below])).toEqual([build, below]);
});
