/*
 * Copyright (C) the ngx_lead authors
 *
 * Judges webhooks as their receivers would: those of the format standard by
 * the npm package "standardwebhooks", which has to be on NODE_PATH; those of
 * lawfficient by what the vendor says of the signature, written once more;
 * those of kickofflabs, which are not signed, by their members.
 *
 *     node verify.js < requests
 *
 * Each line of stdin is a request in JSON, and is answered by a line of
 * stdout, "ok" or what is wrong with it:
 *
 *     format   "standard", "lawfficient" or "kickofflabs"
 *     headers  in pairs, as they came, or as an object
 *     body     a character for each byte
 *     secret   what one receiver has, who checks no more than the vendor tells
 *              him to: of lawfficient's values the last one
 *     secrets  instead, of a request in the middle of a rotation, the newest
 *              first: there must be a signature for each, in this order
 *     now      seconds to take for the present, if not those of the clock
 *
 * It reads no other file and opens no connection.  The exit code tells nothing
 * of the requests.
 */

'use strict';

const crypto = require('crypto');
const readline = require('readline');

const TOLERANCE = 300;              // seconds, either way
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const clock = Date.now;


function need(truth, why) {
    if (!truth) {
        throw new Error(why);
    }
}


function isObject(value) {
    return typeof value === 'object' && value !== null
        && !Array.isArray(value);
}


// names in lower case; what comes twice is joined, as node does it

function headersOf(given) {
    const headers = {};
    const pairs = Array.isArray(given) ? given : Object.entries(given);

    for (const [name, value] of pairs) {
        const key = name.toLowerCase();
        headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
    }

    return headers;
}


function bytesOf(text) {
    need(typeof text === 'string', 'no body');
    need(/^[\x00-\xff]*$/.test(text), 'the body is not in bytes');

    return Buffer.from(text, 'latin1');
}


function jsonOf(body) {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    const value = JSON.parse(text);

    need(isObject(value), 'the body is no object');
    need(text === text.trim(), 'white space around the body');

    return value;
}


function standard({ headers, body, secrets, single }) {
    const { Webhook } = require('standardwebhooks');

    const id = headers['webhook-id'];
    const list = (headers['webhook-signature'] || '').split(' ');

    for (const secret of secrets) {
        new Webhook(secret).verify(body, headers);
    }

    if (!single) {
        const at = new Date(Number(headers['webhook-timestamp']) * 1000);

        need(list.length === secrets.length, `${list.length} signatures`);
        secrets.forEach((secret, i) => {
            need(new Webhook(secret).sign(id, at, body) === list[i],
                 `signature ${i + 1} is of another secret`);
        });
    }

    need(!id.includes('.'), 'a dot in webhook-id');
    need(/^[1-9]\d*$/.test(headers['webhook-timestamp']),
         'webhook-timestamp is not in seconds');

    const value = jsonOf(body);

    need(Object.keys(value).join() === 'type,timestamp,data',
         `members ${Object.keys(value)}`);
    need(/^\w+(\.\w+)*$/.test(value.type), `type ${value.type}`);
    need(TIME.test(value.timestamp), `timestamp ${value.timestamp}`);
    need(isObject(value.data), 'data is no object');
}


function lawfficient({ headers, body, secrets, single, now }) {
    const header = headers['lawfficient-signature'];

    need(header, 'no Lawfficient-Signature');

    const parts = header.split(',').map((part) => part.split('='));
    const seconds = parts.filter(([key]) => key === 't').map(([, v]) => v);
    const values = parts.filter(([key]) => key === 'v1').map(([, v]) => v);

    need(seconds.length === 1 && /^[1-9]\d*$/.test(seconds[0]), 'no time');
    need(parts.length === 1 + values.length && parts[0][0] === 't',
         'unknown parts');
    need(Math.abs(now - seconds[0]) <= TOLERANCE, 'too old or too new');

    const wanted = secrets.map((secret) => crypto
        .createHmac('sha256', Buffer.from(secret, 'utf8'))
        .update(Buffer.concat([Buffer.from(`${seconds[0]}.`), body]))
        .digest('hex'));

    if (single) {
        need(values[values.length - 1] === wanted[0], 'another signature');

    } else {
        need(values.join() === wanted.join(), 'other signatures');
    }

    const value = jsonOf(body);

    need(Object.keys(value).join() === 'id,type,created_at,data',
         `members ${Object.keys(value)}`);
    need(UUID.test(value.id), `id ${value.id}`);
    need(TIME.test(value.created_at), `created_at ${value.created_at}`);
    need(isObject(value.data), 'data is no object');
}


function kickofflabs({ headers, body }) {
    const value = jsonOf(body);

    need(!Object.keys(headers).some((name) => name.includes('signature')),
         'a signature');
    need(typeof value.__event === 'string' && value.__event !== '',
         'no __event');
    need(Number.isInteger(value.id), `id ${value.id}`);
}


const formats = { standard, lawfficient, kickofflabs };


function judge(line) {
    const r = JSON.parse(line);
    const judgeFormat = Object.hasOwn(formats, r.format)
        ? formats[r.format] : undefined;
    const now = r.now === undefined ? Math.floor(clock() / 1000) : r.now;
    const single = r.secrets === undefined;
    const secrets = single ? [r.secret] : r.secrets;

    need(judgeFormat, `no format ${r.format}`);
    need(r.format === 'kickofflabs'
         || (secrets.length > 0
             && secrets.every((s) => typeof s === 'string' && s !== '')),
         'no secret to verify with');

    const headers = headersOf(r.headers);

    need(headers['content-type'] === 'application/json',
         `Content-Type ${headers['content-type']}`);

    // the package asks the clock itself
    Date.now = () => now * 1000;

    judgeFormat({ headers, body: bytesOf(r.body), secrets, single, now });
}


readline.createInterface({ input: process.stdin }).on('line', (line) => {
    let verdict = 'ok';

    try {
        judge(line);

    } catch (e) {
        verdict = `error: ${e.message.split('\n')[0]}`;
    }

    Date.now = clock;
    process.stdout.write(`${verdict}\n`);
});
