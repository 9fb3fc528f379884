import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ORIGIN, sha256, signer, verifyEd25519 } from './fixtures.spec.js';
import {
  formatNote,
  fromBase64,
  fromDecimal,
  fromHex,
  fromUtf8,
  formatVerifierKey,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  signCheckpoint,
  signNote,
  toBase64,
  utf8,
  verifierKey,
  verifyNote,
} from './index.js';

const invalid = expect.objectContaining({ code: 'RECORD_INVALID' }) as unknown as Error;
const key = verifierKey(sha256, 'example.com/log', signer().publicKey);
const note = signNote('a text\n\nin two parts\n', key, signer().sign);

describe('published notes', () => {
  const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const SUM = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';

  it('verify with their published keys', async () => {
    const text =
      'If you think cryptography is the answer to your problem,\n' +
      "then you don't know what your problem is.\n\n" +
      '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
    const verdict = await verifyNote(parseNote(text), [parseVerifierKey(sha256, PETER)], verifyEd25519);
    expect(verdict.state).toBe('verified');
    expect(formatNote(parseNote(text))).toBe(text);
  });

  it('open as a checkpoint of the Go checksum database', async () => {
    const text =
      'go.sum database tree\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
      '— sum.golang.org Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n';
    const parsed = parseNote(text);
    expect(parseCheckpoint(parsed.text).size).toBe(20852163n);
    expect((await verifyNote(parsed, [parseVerifierKey(sha256, SUM)], verifyEd25519)).state).toBe('verified');
  });

  it('have keys that are written back as they were read', () => {
    for (const text of [PETER, SUM]) expect(formatVerifierKey(parseVerifierKey(sha256, text))).toBe(text);
  });
});

describe('note', () => {
  it('verifies with its key, is unknown without it, and ignores the signatures of strangers', async () => {
    const stranger = verifierKey(sha256, 'example.com/other', signer(9).publicKey);
    const two = formatNote({
      text: parseNote(note).text,
      signatures: [{ name: stranger.name, keyId: stranger.keyId, signature: new Uint8Array(64) }, ...parseNote(note).signatures],
    });
    expect((await verifyNote(parseNote(two), [key], verifyEd25519)).state).toBe('verified');
    expect(await verifyNote(parseNote(note), [], verifyEd25519)).toEqual({
      state: 'unknown_key',
      signers: [`${key.name}+${key.keyId}`],
    });
    // A known key whose signature is wrong refuses the note, whoever else signed it.
    expect(await verifyNote(parseNote(two), [key, stranger], verifyEd25519)).toMatchObject({ state: 'tampered', key: stranger });
  });

  it('fails for any single flipped bit', async () => {
    const original = utf8(note);
    await fc.assert(
      fc.asyncProperty(fc.nat(original.length * 8 - 1), async (bit) => {
        const changed = Buffer.from(original);
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit % 8));
        let state: string;
        try {
          const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(changed);
          state = (await verifyNote(parseNote(text), [key], verifyEd25519)).state;
        } catch {
          state = 'malformed';
        }
        expect(state).not.toBe('verified');
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ['no newline at the end', note.slice(0, -1)],
    ['no signature', 'text\n\n'],
    ['no blank line', 'text\n— a AAAAAAA=\n'],
    ['a control character', note.replace('text', 'te\txt')],
    ['a hyphen for the dash', note.replace('—', '-')],
    ['base64 with stray bits', 'text\n\n— a AAAAAAB=\n'],
    ['base64 without padding', 'text\n\n— a AAAAAAA\n'],
    ['a signature without bytes after the key id', 'text\n\n— a AAAAAA==\n'],
    ['a name with a plus', 'text\n\n— a+b AAAAAAA=\n'],
    ['a name with a Unicode space', 'text\n\n— a\u00a0b AAAAAAA=\n'],
    ['a lone surrogate', note.replace('text', 'te\ud800xt')],
    ['too many signatures', `text\n\n${'— a AAAAAAA=\n'.repeat(65)}`],
  ])('is refused with %s', (_, text) => expect(() => parseNote(text)).toThrow(invalid));

  it('accepts at least sixteen signatures', () => {
    expect(parseNote(`text\n\n${'— a AAAAAAA=\n'.repeat(16)}`).signatures).toHaveLength(16);
  });
});

describe('verifier key', () => {
  it.each([
    ['no parts', 'name'],
    ['an id of another key', formatVerifierKey(key).replace(key.keyId, '00000000')],
    ['an upper-case id', formatVerifierKey(key).replace(key.keyId, key.keyId.toUpperCase())],
    ['another algorithm', `a+00000000+${toBase64(new Uint8Array(33).fill(4))}`],
    ['a short key', `a+00000000+${toBase64(Uint8Array.of(1, 2))}`],
    ['an empty name', '+00000000+AQ=='],
  ])('is refused with %s', (_, text) => expect(() => parseVerifierKey(sha256, text)).toThrow(invalid));

  it('needs a name without spaces', () => {
    expect(() => verifierKey(sha256, 'a b', key.publicKey)).toThrow(invalid);
  });
});

describe('encodings', () => {
  it('have one spelling each', () => {
    expect(() => fromHex('AB')).toThrow(invalid);
    expect(() => fromBase64('!')).toThrow(invalid);
    expect(() => fromUtf8(Uint8Array.of(0xff))).toThrow(invalid);
    expect(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
    expect(() => fromDecimal('1.0')).toThrow(invalid);
    expect(fromDecimal('18446744073709551615')).toBe((1n << 64n) - 1n);
  });
});

describe('checkpoint', () => {
  const root = sha256(utf8('root'));
  const own = verifierKey(sha256, ORIGIN, signer().publicKey);

  it('is signed, read back and bound to the origin of the key', async () => {
    const text = signCheckpoint({ origin: ORIGIN, size: 1n << 60n, root }, own, signer().sign);
    const opened = await openCheckpoint(text, [own], verifyEd25519);
    expect(opened.verdict.state).toBe('verified');
    expect(opened.checkpoint).toMatchObject({ origin: ORIGIN, size: 1n << 60n, extensions: [] });
    // A key of another log may sign well and still vouches for nothing here.
    const foreign = signCheckpoint({ origin: 'centralita/other', size: 1n, root }, own, signer().sign);
    expect((await openCheckpoint(foreign, [own], verifyEd25519)).verdict.state).toBe('unknown_key');
  });

  it('keeps extension lines', () => {
    expect(parseCheckpoint(`o\n0\n${toBase64(root)}\nmore\n`).extensions).toEqual(['more']);
  });

  it.each([
    ['a missing line', 'o\n1\n'],
    ['an empty origin', `\n1\n${toBase64(root)}\n`],
    ['a leading zero', `o\n01\n${toBase64(root)}\n`],
    ['a sign', `o\n+1\n${toBase64(root)}\n`],
    ['a size of 65 bits', `o\n18446744073709551616\n${toBase64(root)}\n`],
    ['a short root', 'o\n1\nAAAA\n'],
    ['an empty extension', `o\n1\n${toBase64(root)}\n\n`],
    ['no newline at the end', `o\n1\n${toBase64(root)}`],
  ])('is refused with %s', (_, text) => expect(() => parseCheckpoint(text)).toThrow(invalid));
});
