import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import { readFixture } from './fixtures/read.ts';
import { maxTokenFileBytes, readSmime } from './smime.ts';

const cms = readFixture('apple.der');
const file = readFixture('apple.p7m').toString();
const base64 = cms.toString('base64');

describe('the CMS is found', () => {
  test.each<[string, string | Uint8Array]>([
    ['in the file as Apple hands it out', file],
    ['with CRLF', file.replaceAll('\n', '\r\n')],
    ['with bare CR', file.replaceAll('\n', '\r')],
    ['after a byte order mark', `\uFEFF${file}`],
    ['in UTF-16, as Windows saves it', Buffer.from(`\uFEFF${file}`, 'utf16le')],
    ['in UTF-16 of the other byte order', Buffer.from(`\uFEFF${file}`, 'utf16le').swap16()],
    ['with blanks at the end of every line', file.replaceAll('\n', '  \t\n')],
    ['with blank lines around it', `\n \r\n${file}\n\n  \n`],
    ['with an empty line of blanks after the headers', file.replace('\n\n', '\n \t \n')],
    ['with folded headers', file.replace('; smime-type', ';\n\tsmime-type')],
    ['with headers folded in the middle of a word', file.replace('smime-type', 'smime-ty\n pe')],
    ['with headers cut without a blank', file.replace('smime-type', 'smime-ty\npe')],
    ['with header names in lower case', file.replace(/^[\w-]+:/gm, (name) => name.toLowerCase())],
    ['with a blank before the colon', file.replace('Content-Type:', 'Content-Type :')],
    ['as application/x-pkcs7-mime', file.replace('pkcs7-mime', 'x-pkcs7-mime')],
    ['without a single header', file.slice(file.indexOf('\n\n'))],
    ['as base64 on one line', base64],
    ['as base64 without its padding', base64.replace(/=+$/, '')],
    ['as base64 in odd lines', base64.replace(/.{7}/g, '$&\n')],
    ['as it is', cms],
    ['as it is, with a line feed after it', Buffer.concat([cms, Buffer.from('\n')])],
  ])('%s', (_, input) => {
    const found = readSmime(typeof input === 'string' ? Buffer.from(input) : input);

    expect(Buffer.from(found).subarray(0, cms.length)).toEqual(cms);
  });
});

describe('the admin is told what else was uploaded:', () => {
  test.each<[string, string | Uint8Array, RegExp]>([
    ['nothing', '', /empty/],
    ['blanks', ' \r\n ', /empty/],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n', /certificate or a key/],
    ['a key', '-----BEGIN RSA PRIVATE KEY-----\nMIIB\n', /certificate or a key/],
    ['a public key', '-----BEGIN PUBLIC KEY-----\nMIIB\n', /certificate or a key/],
    ['a decrypted token', '{"consumer_key":"CK_1"}', /decrypted already/],
    ['a web page', '<!DOCTYPE html><html></html>', /web page/],
    ['an archive', 'PK\u0003\u0004', /document/],
    ['a content token', Buffer.from('{"token":"x"}').toString('base64'), /Apps and Books/],
    ['a whole mail', `Content-Type: multipart/mixed;\n boundary=x\n\n${base64}`, /attachment/],
    ['headers alone', 'Content-Type: application/pkcs7-mime\n', /empty line/],
    ['headers and nothing', 'Content-Type: application/pkcs7-mime\n\n \n', /empty line/],
    ['quoted-printable', file.replace(': base64', ': quoted-printable'), /re-encoded/],
    ['another text', 'hello, world!', /not base64/],
    ['base64 with a signature below', `${base64}\n-- \nSent from my phone`, /not base64/],
    ['more than a megabyte', Buffer.alloc(maxTokenFileBytes + 1, 'A'), /1 MiB/],
  ])('%s', (_, input, message) => {
    const read = () => readSmime(typeof input === 'string' ? Buffer.from(input) : input);

    expect(read).toThrow(DomainError);
    expect(read).toThrow(expect.objectContaining({ code: 'malformed_token' }) as Error);
    expect(read).toThrow(message);
    expect(read).toThrow(/Download Token/);
  });
});
