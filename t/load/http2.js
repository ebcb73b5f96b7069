/*
 * Copyright (C) the ngx_lead authors
 *
 * Connections of HTTP/2 that are flooded with streams.  Frames are made here,
 * for a library would not send a request that it is to cancel at once.
 *
 *     node http2.js <file>
 *
 * The file has options in JSON: connections, streams (of a connection at a
 * time, the server's limit), rounds, port, base, key, tag.  What is written to
 * stdout is as in http1.js.  Connections take turns in these roles:
 *
 *     flood    as many streams as may be, each a lead, `rounds` times
 *     beyond   so many half a lead; more streams, which are refused; the rest
 *     reset    streams that are cancelled behind their HEADERS, behind half a
 *              body, behind all of it
 *     half     streams whose bodies stop in the middle, until nginx ends them
 *     window   leads and lists whose answers have no window to be sent in;
 *              later every other of these connections opens it
 */

'use strict';

const fs = require('fs');
const net = require('net');
const readline = require('readline');

const DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6,
    GOAWAY = 7, WINDOW_UPDATE = 8;
const END_STREAM = 1, END_HEADERS = 4, ACK = 1;
const REFUSED_STREAM = 7, CANCEL = 8;
const WINDOW = 0x3fffffff;
const STATUS = { 0x88: 200, 0x89: 204, 0x8c: 400, 0x8d: 404 };

const options = JSON.parse(fs.readFileSync(process.argv[2]));
const result = { asked: {}, acked: {}, statuses: {}, wrong: [] };

let ready = 0;
let goOn;
const later = new Promise((resolve) => { goOn = resolve; });


function wrong(text) {
    if (result.wrong.length < 20) {
        result.wrong.push(text);
    }
}


function height() {
    if (++ready === options.connections) {
        console.log(JSON.stringify({ height: true }));
    }

    return later;
}


function frame(type, flags, stream, payload) {
    const head = Buffer.alloc(9);

    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);

    return Buffer.concat([head, payload]);
}


function number(n) {
    const b = Buffer.alloc(4);

    b.writeUInt32BE(n);
    return b;
}


// a header of HPACK, neither indexed nor compressed

function literal(name, value) {
    return Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name),
        Buffer.from([value.length]), Buffer.from(value)]);
}


class Connection {
    constructor(role, n) {
        this.role = role;
        this.n = n;
        this.seq = 0;
        this.next = 1;
        this.text = Buffer.alloc(0);
        this.streams = new Map();
        this.watching = [];
        this.acks = 0;
        this.closed = false;
    }

    open(window) {
        this.socket = net.connect({ port: options.port, host: '127.0.0.1',
            noDelay: true });
        this.socket.on('error', () => {});
        this.socket.on('data', (data) => this.fill(data));
        this.socket.on('close', () => {
            this.closed = true;
            this.look();
        });

        // SETTINGS_INITIAL_WINDOW_SIZE is 4
        this.socket.write(Buffer.concat([
            Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
            frame(SETTINGS, 0, 0, Buffer.concat([Buffer.from([0, 4]),
                number(window)])),
            frame(WINDOW_UPDATE, 0, 0, number(WINDOW)),
        ]));

        return this.until(() => this.settings);
    }

    fill(data) {
        this.text = Buffer.concat([this.text, data]);

        for (;;) {
            const length = this.text.length < 9 ? -1
                : this.text.readUIntBE(0, 3);

            if (length < 0 || this.text.length < 9 + length) {
                break;
            }

            this.take(this.text[3], this.text[4], this.text.readUInt32BE(5),
                this.text.subarray(9, 9 + length));
            this.text = this.text.subarray(9 + length);
        }

        this.look();
    }

    take(type, flags, id, payload) {
        const s = this.streams.get(id);

        if (type === SETTINGS && !(flags & ACK)) {
            this.settings = true;
            this.socket.write(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));

        } else if (type === PING && flags & ACK) {
            this.acks++;

        } else if (type === GOAWAY) {
            this.goaway = payload.readUInt32BE(4);

        } else if (s && type === HEADERS) {
            this.status(s, payload);

        } else if (s && type === RST_STREAM) {
            s.error = payload.readUInt32BE(0);
            s.ended = true;
        }

        if (s && flags & END_STREAM && (type === DATA || type === HEADERS)) {
            s.ended = true;
        }
    }

    // a size update may come first; then it is of the table, or in digits

    status(s, payload) {
        let at = 0;

        while (payload[at] >= 0x20 && payload[at] <= 0x3f) {
            at++;
        }

        s.status = STATUS[payload[at]]
            || Number(payload.toString('latin1', at + 2, at + 5));

        const by = result.statuses[this.role] ??= {};

        by[s.status] = (by[s.status] || 0) + 1;

        if (s.name && s.status >= 200 && s.status < 300) {
            (result.acked[this.role] ??= []).push(s.name);
        }
    }

    // until a condition holds, or the connection is closed

    until(condition) {
        if (condition() || this.closed) {
            return Promise.resolve();
        }

        return new Promise((resolve) => {
            this.watching.push({ condition, resolve });
        });
    }

    look() {
        this.watching = this.watching.filter((w) => {
            if (this.closed || w.condition()) {
                w.resolve();
                return false;
            }

            return true;
        });
    }

    // nginx has seen all that was sent before

    async ping() {
        const want = this.acks + 1;

        this.socket.write(frame(PING, 0, 0, Buffer.alloc(8)));
        await this.until(() => this.acks >= want);
    }

    headers(method, path, flags) {
        const s = { id: this.next };

        this.next += 2;
        this.streams.set(s.id, s);
        s.frame = frame(HEADERS, END_HEADERS | flags, s.id, Buffer.concat([
            literal(':method', method), literal(':scheme', 'http'),
            literal(':path', options.base + path),
            literal(':authority', 'localhost'),
            literal('authorization', `Bearer ${options.key}`),
        ]));

        return s;
    }

    // a lead in two frames of DATA, to be sent by the caller

    lead() {
        const s = this.headers('POST', '/leads', 0);

        s.name = `${options.tag}-${this.role}-${this.n}-${++this.seq}`;

        const body = Buffer.from(`{"first_name":"A","last_name":"${s.name}",`
            + '"email":"a@example.com","source":"load",'
            + `"data":{"message":"${'x'.repeat(1000)}"}}`);
        const half = body.length >> 1;

        s.begin = frame(DATA, 0, s.id, body.subarray(0, half));
        s.end = frame(DATA, END_STREAM, s.id, body.subarray(half));
        (result.asked[this.role] ??= []).push(s.name);

        return s;
    }

    leads() {
        return Array.from({ length: options.streams }, () => this.lead());
    }

    send(list, ...parts) {
        this.socket.write(Buffer.concat(list.flatMap((s) => parts.map(
            (part) => (typeof part === 'string' ? s[part] : part(s))))));
    }

    all(list) {
        return this.until(() => list.every((s) => s.ended));
    }

    // each of them has its lead

    created(list) {
        list.forEach((s) => {
            if (s.status !== 201) {
                wrong(`${s.name}: ${s.status || 'no answer'}`
                    + ` ${s.error ?? ''} ${this.goaway ?? ''}`);
            }
        });
    }
}


function cancel(s) {
    return frame(RST_STREAM, 0, s.id, number(CANCEL));
}


const roles = {
    async flood(c) {
        for (let i = 0; i < options.rounds; i++) {
            const list = c.leads();

            c.send(list, 'frame', 'begin', 'end');
            await c.all(list);
            c.created(list);
        }

        await height();

        const list = c.leads();

        c.send(list, 'frame', 'begin', 'end');
        await c.all(list);
        c.created(list);
    },

    async beyond(c) {
        const list = c.leads();
        const more = c.leads().slice(0, 20);

        c.send(list, 'frame', 'begin');
        c.send(more, 'frame', 'begin', 'end');
        await c.all(more);

        if (more.some((s) => s.error !== REFUSED_STREAM || s.status)) {
            wrong('beyond: a stream that should be refused');
        }

        result.refused = (result.refused || 0) + more.length;
        await height();
        c.send(list, 'end');
        await c.all(list);
        c.created(list);
    },

    async reset(c) {
        for (let i = 0; i < options.rounds && !c.closed; i++) {
            const list = c.leads();

            c.send(list.filter((s) => s.id % 6 === 1), 'frame', cancel);
            c.send(list.filter((s) => s.id % 6 === 3), 'frame', 'begin',
                cancel);
            c.send(list.filter((s) => s.id % 6 === 5), 'frame', 'begin',
                'end', cancel);
            await c.ping();
            result.cancelled = (result.cancelled || 0) + list.length;
        }

        result.calmed = (result.calmed || 0) + (c.closed ? 1 : 0);
        await height();
    },

    async half(c) {
        const list = c.leads();

        c.send(list, 'frame', 'begin');
        await c.ping();
        await height();
        await c.all(list);

        if (list.some((s) => s.status === 201)) {
            wrong('half: a lead of half a body');
        }
    },

    async window(c) {
        const lists = Array.from({ length: 8 },
            () => c.headers('GET', '/leads?limit=200', END_STREAM));
        const list = c.leads().slice(0, options.streams - lists.length);

        c.send(lists, 'frame');
        c.send(list, 'frame', 'begin', 'end');
        await c.until(() => [...list, ...lists].every((s) => s.status));

        // the window of the connection stays open, those of streams do not
        if ([...list, ...lists].some((s) => s.ended)) {
            wrong('window: an answer that could not be sent');
        }

        await height();
        c.created(list);

        if (c.n % 2) {
            c.send([...list, ...lists], (s) => frame(WINDOW_UPDATE, 0, s.id,
                number(WINDOW)));
            await c.all([...list, ...lists]);

            if (c.closed || lists.some((s) => s.status !== 200)) {
                wrong('window: opened, and no answer');
            }
        }
    },
};


async function main() {
    readline.createInterface({ input: process.stdin }).on('line', goOn);

    const names = Object.keys(roles);
    const list = Array.from({ length: options.connections }, (_, n) => {
        // every other one of a role is odd
        const role = names[(n >> 1) % names.length];

        return new Connection(role, n);
    });

    await Promise.all(list.map(async (c) => {
        await c.open(c.role === 'window' ? 0 : WINDOW);
        await roles[c.role](c);
    }));

    list.forEach((c) => c.socket.destroy());
    fs.writeFileSync(`${process.argv[2]}.result`, JSON.stringify(result));
    process.exit(0);
}


main().catch((error) => {
    console.error(error);
    process.exit(1);
});
