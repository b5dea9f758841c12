import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from './support/process.js';

const ROOT = resolve(import.meta.dirname, '..');
const COMPILER_OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts'],
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules/@types')],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
};

/** A change here is a change for users: say so in CHANGELOG.md. */
const VALUES = [
  'ANTHROPIC_HIGH_TIER',
  'ANTHROPIC_STANDARD_TIER',
  'AUDIO_CODECS',
  'AnswerMemory',
  'BUDGET_STEPS',
  'Budget',
  'CapError',
  'CaptureSession',
  'DEFAULT_MAX_OUTPUT_TOKENS',
  'DEFAULT_PROMPT',
  'DEFAULT_TOKEN_MODEL',
  'ENCODER_NAMES',
  'ERROR_CODES',
  'Gateway',
  'MODELS',
  'MonitorStreams',
  'PRICES',
  'PROVIDERS',
  'QUALITY_CRF',
  'QUALITY_LEVELS',
  'RateAdaptation',
  'RequestQueue',
  'RtspServer',
  'SOURCE_KINDS',
  'SPEED_PRESETS',
  'Sampler',
  'TypedEvents',
  'Watch',
  'WatchSession',
  'anthropicPatches',
  'builtInPresets',
  'captureMetrics',
  'costUsd',
  'createStreamLogger',
  'deepSeekOcr2',
  'deepSeekOcrGundam',
  'describeStream',
  'diagnose',
  'fingerprintOf',
  'fitFrame',
  'formatRegion',
  'formatSize',
  'frameAgeMs',
  'geminiBudget',
  'geminiTiles',
  'gundamGrid',
  'gundamPlan',
  'gundamTable',
  'internVlTiles',
  'listSources',
  'llama32Tiles',
  'llama4Tiles',
  'loadPreset',
  'look',
  'monitorMetrics',
  'openAdaptor',
  'openAiPatches',
  'openAiTiles',
  'parseBudget',
  'parseRegion',
  'parseSeiPayload',
  'parseSize',
  'parseSource',
  'pixtralPatches',
  'presetPlan',
  'presetTable',
  'priceOf',
  'profileOf',
  'qwenCells',
  'readLedger',
  'readTlsIdentity',
  'readUserFile',
  'redact',
  'registerSecret',
  'repairSound',
  'replay',
  'rtspUser',
  'scaledSize',
  'selfSignedIdentity',
  'silentLogger',
  'sourcePlan',
  'startMetricsServer',
  'userPresetFolder',
  'userPresets',
  'watchMetrics',
];

const TYPES = [
  'AdaptedStream',
  'Adaptor',
  'AdaptorAnswer',
  'AdaptorOptions',
  'AdaptorRequest',
  'Answer',
  'AnswerSchema',
  'AnthropicTier',
  'AudioChannels',
  'AudioCodec',
  'AudioOptions',
  'AudioRow',
  'AudioStats',
  'AudioTrack',
  'BudgetLimit',
  'BudgetOptions',
  'BudgetStep',
  'CameraRow',
  'CapErrorOptions',
  'CaptureSessionEvents',
  'CaptureSessionOptions',
  'CaptureStats',
  'ChangeGateOptions',
  'Closable',
  'DeltaOptions',
  'DeltaRecord',
  'DescribeOptions',
  'Diagnosis',
  'DisplayChoice',
  'DisplayServer',
  'DoctorOptions',
  'EncodedImage',
  'EncoderName',
  'EncoderOptions',
  'ErrorCode',
  'EventMap',
  'Exchange',
  'FileOptions',
  'Finding',
  'FitOptions',
  'FittedImages',
  'Frame',
  'FrameLegibility',
  'FrameMetadata',
  'FrameSource',
  'Gate',
  'GateOptions',
  'GatewayEvents',
  'GatewayOptions',
  'GatewayStatus',
  'GundamGrid',
  'GundamGridOptions',
  'GundamLayout',
  'GundamTable',
  'ImageCost',
  'ImageDetail',
  'ImageFormula',
  'ImageLimits',
  'LedgerContents',
  'LedgerEntry',
  'LedgerOptions',
  'Legibility',
  'LogLevel',
  'Logger',
  'LookOptions',
  'MediaType',
  'MetricsServer',
  'MetricsServerOptions',
  'ModelOptions',
  'ModelProfile',
  'ModelVendor',
  'MonitorRow',
  'MonitorStream',
  'MonitorStreamsEvents',
  'MonitorStreamsOptions',
  'MountOptions',
  'MountStatus',
  'Mp4Recorder',
  'Mp4RecorderEvents',
  'Mp4RecorderStats',
  'NextFrameOptions',
  'PictureOptions',
  'Preset',
  'PresetChooser',
  'PresetRow',
  'PresetTableOptions',
  'Price',
  'PriceRow',
  'Provider',
  'PublishSecrets',
  'Publisher',
  'PublisherEvents',
  'PublisherStats',
  'Quality',
  'QwenGrid',
  'RateAdaptationEvents',
  'RateAdaptationOptions',
  'RateStep',
  'ReaderReport',
  'ReaderReports',
  'Receipt',
  'RecordOptions',
  'Rect',
  'RedactionOptions',
  'RedactionStats',
  'RegionLegibility',
  'ReplayOptions',
  'Replayed',
  'ReplayedAnswer',
  'RequestQueueOptions',
  'RtspMountOptions',
  'RtspOptions',
  'RtspReader',
  'RtspServerEvents',
  'RtspServerOptions',
  'RtspTlsOptions',
  'RtspUser',
  'SamplerEvents',
  'SamplerOptions',
  'ScaleOptions',
  'ScalePlan',
  'ScaleView',
  'Scaling',
  'ScalingOptions',
  'ScreenOptions',
  'ScreenServer',
  'SendReason',
  'SentImage',
  'SentImageRecord',
  'SharedKind',
  'SharedStream',
  'Size',
  'SoundRepair',
  'SourceList',
  'SourceOptions',
  'SpeedPreset',
  'StreamLoggerOptions',
  'StreamQuality',
  'StreamRate',
  'TestOptions',
  'TestPattern',
  'TextLine',
  'TlsIdentity',
  'TlsTrust',
  'TokenUsage',
  'V4l2Options',
  'WatchCounts',
  'WatchEvents',
  'WatchOptions',
  'WatchSessionOptions',
  'WindowRow',
];

let consumer: string;

beforeAll(() => {
  consumer = mkdtempSync(join(tmpdir(), 'cap-consumer-'));
  mkdirSync(join(consumer, 'node_modules'));
  symlinkSync(ROOT, join(consumer, 'node_modules/cap-gateway'));
  writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }');
});

afterAll(() => rmSync(consumer, { recursive: true, force: true }));

/** Runs a module in the consumer's folder and returns what it printed as JSON. */
async function inConsumer(code: string): Promise<unknown> {
  writeFileSync(join(consumer, 'probe.mjs'), code);
  const { code: status, stdout, stderr } = await runProgram(process.execPath, ['probe.mjs'], { cwd: consumer });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

const print = 'console.log(JSON.stringify(Object.keys(cap).sort()))';

test('a package that depends on cap-gateway gets these names and no others', async () => {
  expect(await inConsumer(`import * as cap from 'cap-gateway'; ${print}`)).toEqual(VALUES);
});

test('the package can import itself, as its examples do', async () => {
  const args = ['--input-type=module', '-e', `import * as cap from 'cap-gateway'; ${print}`];
  const { code, stdout, stderr } = await runProgram(process.execPath, args, { cwd: join(ROOT, 'examples') });
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toEqual(VALUES);
});

test.each(['cap-gateway/dist/native/index.js', 'cap-gateway/native', 'cap-gateway/dist/index.js'])(
  '%s is private',
  async (path) => {
    expect(await inConsumer(`import('${path}').catch(({ code }) => console.log(JSON.stringify(code)))`)).toBe(
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    );
  },
);

test('the types are these, and every name has a docstring', () => {
  const entry = join(ROOT, 'src/index.ts');
  const program = ts.createProgram([entry], COMPILER_OPTIONS);
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(entry);
  const module = file && checker.getSymbolAtLocation(file);
  const names = (module ? checker.getExportsOfModule(module) : []).map((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const documentation = ts.displayPartsToString(target.getDocumentationComment(checker));
    return { name: symbol.name, documented: documentation.length > 0 };
  });
  expect(names.filter(({ documented }) => !documented)).toEqual([]);
  const types = names.map(({ name }) => name).filter((name) => !VALUES.includes(name));
  expect(types.sort()).toEqual(TYPES);
});

test('the examples hold to the types that a consumer sees', () => {
  const folder = join(ROOT, 'examples');
  const files = readdirSync(folder).map((name) => join(folder, name));
  const program = ts.createProgram(files, { ...COMPILER_OPTIONS, allowJs: true, checkJs: true });
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  expect(files.length).toBeGreaterThan(0);
  expect(problems).toEqual([]);
});
