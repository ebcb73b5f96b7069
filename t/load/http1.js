/*
 * Copyright (C) the ngx_lead authors
 *
 * Many connections of HTTP/1.1 at once, each in a role of its own.  Nothing of
 * node's own packages but the standard library; node 18 will do.
 *
 *     node http1.js <file>
 *
 * The file has options in JSON: connections, roles {name: share}, port, narrow
 * (a port whose sockets send little at once), base (before "/leads"), key, tag
 * (in front of each name), pace (ms between two bytes of a slow body), large
 * (bytes of a large body), step (how many connections are made at a time).
 *
 * On stdout there is a line of JSON when all of them are open and have come as
 * far as they go by themselves, {"height": true}; a line on stdin lets them go
 * on; then the result is in <file>.result: asked and acked, names by role;
 * statuses by role; wrong, texts; answers, of the last role.
 *
 *     whole     a lead at once, kept alive, and later another one
 *     idle      a lead at once, kept alive
 *     silent    connects, and says nothing
 *     slow      a lead, a byte a packet; the last byte comes later
 *     stuck     half of a large body, then a byte now and then; later nothing
 *     deaf      asks for a list and does not read it, but for what node takes
 *               by itself, 64 KiB; later half of them do
 *     pipeline  five leads in one packet, one of them twice
 *     leave     half of a body; later it leaves, every other by a reset
 *     text      sends its own of the requests `texts`; the height is when so
 *               many as `expect` are answered
 */

'use strict';

const fs = require('fs');
const net = require('net');
const readline = require('readline');

const options = JSON.parse(fs.readFileSync(process.argv[2]));
const result = { asked: {}, acked: {}, statuses: {}, wrong: [], answers: [] };

let ready = 0;
let goOn;
const later = new Promise((resolve) => { goOn = resolve; });
let allOpen;
const opened = new Promise((resolve) => { allOpen = resolve; });


function sleep(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
}


function wrong(text) {
    if (result.wrong.length < 20) {
        result.wrong.push(text);
    }
}


// all are at the height when the last one is

function height() {
    if (++ready === options.connections) {
        console.log(JSON.stringify({ height: true }));
    }

    return later;
}


class Connection {
    constructor(role, n) {
        this.role = role;
        this.n = n;
        this.seq = 0;
        this.text = '';
        this.waiting = [];
        this.closed = false;
    }

    open(port, deaf) {
        this.socket = net.connect({ port, host: '127.0.0.1',
            noDelay: true });

        this.ended = new Promise((resolve) => {
            this.socket.on('error', () => {});
            this.socket.on('close', () => {
                this.closed = true;
                this.waiting.splice(0).forEach((f) => f(null));
                resolve();
            });
        });

        if (!deaf) {
            this.socket.on('data', (data) => this.fill(data));
        }

        return new Promise((resolve, reject) => {
            this.socket.on('connect', resolve);
            this.socket.on('close', () => reject(new Error('refused')));
        });
    }

    fill(data) {
        this.text += data.toString('latin1');

        for (;;) {
            const end = this.text.indexOf('\r\n\r\n');

            if (end < 0) {
                return;
            }

            const head = this.text.slice(0, end);
            const length = Number((/^content-length: (\d+)/im.exec(head)
                || [0, 0])[1]);

            if (this.text.length < end + 4 + length) {
                return;
            }

            const answer = {
                status: Number(head.slice(9, 12)),
                head,
                body: this.text.slice(end + 4, end + 4 + length),
            };
            const by = result.statuses[this.role] ??= {};

            by[answer.status] = (by[answer.status] || 0) + 1;
            this.text = this.text.slice(end + 4 + length);

            const taker = this.waiting.shift();

            if (taker) {
                taker(answer);
            } else {
                wrong(`${this.role}: an answer nobody waits for`);
            }
        }
    }

    answer() {
        return this.closed ? Promise.resolve(null)
            : new Promise((resolve) => this.waiting.push(resolve));
    }

    head(method, path, length, extra) {
        return `${method} ${options.base}${path} HTTP/1.1\r\n`
            + `Host: localhost\r\nAuthorization: Bearer ${options.key}\r\n`
            + (extra || '')
            + (length ? `Content-Length: ${length}\r\n` : '') + '\r\n';
    }

    // a lead's name, body and request

    lead(extra) {
        const name = `${options.tag}-${this.role}-${this.n}-${++this.seq}`;
        const more = this.role === 'slow' ? ''
            : `,"data":{"message":"${'x'.repeat(1000)}"}`;
        const body = `{"first_name":"A","last_name":"${name}",`
            + `"email":"a@example.com","source":"load"${more}}`;

        (result.asked[this.role] ??= []).push(name);

        return { name, body,
            head: this.head('POST', '/leads', body.length, extra) };
    }

    // what was answered about a lead

    heard(lead, answer) {
        if (answer && answer.status >= 200 && answer.status < 300) {
            (result.acked[this.role] ??= []).push(lead.name);

        } else {
            wrong(`${lead.name}: ${answer ? answer.status : 'no answer'}`);
        }
    }

    // not slower than nginx waits, until the height is over

    async trickle() {
        let going = true;

        height().then(() => { going = false; });

        while (going && !this.closed) {
            await sleep(1000);

            if (going && !this.closed) {
                this.socket.write('x');
            }
        }

        if (going && !options.plain) {
            wrong(`${this.role}: closed early`);
        }
    }

    async post() {
        const lead = this.lead();
        const answer = this.answer();

        this.socket.write(lead.head + lead.body);
        this.heard(lead, await answer);
    }
}


const roles = {
    async whole(c) {
        await c.post();
        await height();
        await c.post();
    },

    async idle(c) {
        await c.post();
        await height();
    },

    async silent() {
        await height();
    },

    async slow(c) {
        // or the first would wait too long with their last byte

        await opened;

        const lead = c.lead();
        const answer = c.answer();
        const last = lead.body.length - 1;

        c.socket.write(lead.head);

        for (let i = 0; i < last; i++) {
            await sleep(options.pace);
            c.socket.write(lead.body[i]);
        }

        await height();
        c.socket.write(lead.body[last]);
        c.heard(lead, await answer);
    },

    // nobody is there to be told: nginx closes

    async stuck(c) {
        const half = options.large >> 1;

        (result.asked.stuck ??= []).push(`${options.tag}-stuck-${c.n}-1`);
        c.waiting.push(() => {});
        c.socket.write(c.head('POST', '/leads', options.large)
            + `{"last_name":"${options.tag}-stuck-${c.n}-1","x":"`
            + 'x'.repeat(half));
        await c.trickle();

        // who has been answered has to go by himself

        if (options.plain) {
            c.socket.destroy();
        }

        await c.ended;
    },

    async deaf(c) {
        const begun = new Promise((resolve) => {
            c.socket.once('readable', resolve);
        });

        c.socket.write(c.head('GET', '/leads?limit=200'));
        await Promise.race([begun, c.ended]);

        if (c.closed) {
            wrong('deaf: closed');
        }

        await height();

        if (c.n % 2) {
            const answer = c.answer();

            c.socket.on('data', (data) => c.fill(data));

            const got = await answer;

            if (!got || got.status !== 200) {
                wrong(`deaf: ${got ? got.status : 'no list'}`);

            } else if (!options.plain
                       && JSON.parse(got.body).data.length !== 200)
            {
                wrong('deaf: not all of a list');
            }
        }
    },

    async pipeline(c) {
        const leads = [];
        const answers = [];

        for (let i = 0; i < 5; i++) {
            leads.push(c.lead(
                `Idempotency-Key: ${options.tag}${c.n}-${i}\r\n`));
        }

        leads.splice(3, 0, leads[1]);
        leads.forEach(() => answers.push(c.answer()));
        c.socket.write(leads.map((lead) => lead.head + lead.body).join(''));

        const ids = (await Promise.all(answers)).map((answer, i) => {
            c.heard(leads[i], answer);
            return answer && /"id":"([^"]+)/.exec(answer.body)?.[1];
        });

        if (!options.plain && (ids[1] !== ids[3] || new Set(ids).size !== 5)) {
            wrong(`pipeline: ${ids}`);
        }

        await height();
    },

    async leave(c) {
        const lead = c.lead();

        c.waiting.push(() => {});
        c.socket.write(lead.head + lead.body.slice(0, lead.body.length >> 1));
        await c.trickle();

        if (c.n % 2) {
            c.socket.resetAndDestroy();
        } else {
            c.socket.end();
        }

        await c.ended;
    },

    async text(c) {
        const began = Date.now();
        const answer = c.answer();

        c.socket.write(options.texts[c.n]);

        const got = await answer;

        result.answers[c.n] = { ...got, ms: Date.now() - began };

        if (++ready === options.expect) {
            console.log(JSON.stringify({ height: true }));
        }
    },
};


// the roles take turns, so that each of them is met by all others

function cast() {
    const names = Object.keys(options.roles);
    const sum = names.reduce((n, name) => n + options.roles[name], 0);
    const due = names.map(() => 0);
    const list = [];

    while (list.length < options.connections) {
        names.forEach((name, i) => { due[i] += options.roles[name] / sum; });

        const next = due.indexOf(Math.max(...due));

        due[next]--;
        list.push(names[next]);
    }

    return list;
}


async function main() {
    readline.createInterface({ input: process.stdin }).on('line', goOn);

    const all = [];
    const done = [];
    const list = cast();

    for (let i = 0; i < list.length; i += options.step) {
        const some = list.slice(i, i + options.step).map(async (role, k) => {
            const c = new Connection(role, i + k);

            await c.open(role === 'deaf' ? options.narrow : options.port,
                role === 'deaf');
            all.push(c);
            done.push(roles[role](c));
        });

        await Promise.all(some);
    }

    allOpen();
    await Promise.all(done);
    all.forEach((c) => c.socket.destroy());
    fs.writeFileSync(`${process.argv[2]}.result`, JSON.stringify(result));
    process.exit(0);
}


main().catch((error) => {
    console.error(error);
    process.exit(1);
});
