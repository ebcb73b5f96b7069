/*
 * Copyright (C) the ngx_lead authors
 *
 * A receiver of webhooks for tests, over HTTP or HTTPS, that does what a plan
 * says: answers, waits, cuts its answer short, talks nonsense, hangs up.
 * node parses what comes, so a request that is no HTTP is found out; what
 * goes back is written byte for byte as planned.  Nothing of node's own
 * packages but the standard library; node 18 will do.
 *
 *     node receiver.js '<options>'
 *
 * Options are JSON: log, a file that gets a line of JSON for each thing that
 * happens; host and port to listen on; tls {cert, key, ca, client, max}: files,
 * "client" is "required" or "optional", max such as "TLSv1.1"; brief: of many
 * requests, each without headers and body.  The first line on stdout is
 * {"port": N, "control": N}.
 *
 * Lines of the log have time, kind and conn, the connection's number:
 *
 *     open     remote: the peer's port
 *     tls      servername, client: the subject of the peer's certificate
 *     failed   a TLS handshake that did: code
 *     request  method, url, version, headers (as they came, in pairs), body
 *              (a character for each byte), id and lead that it is about,
 *              remote, servername, client, active: requests that are being
 *              answered, with this one
 *     bad      what came was no request, or not all of one: code
 *     close
 *
 * The plan is a list of rules; the first one that fits counts.  PUT /plan on
 * the control port replaces it.  A rule:
 *
 *     on       "request", or "connect": as soon as one is made, see "then"
 *     match    {url: pattern, body: pattern, n: pattern of the request's number}
 *     times    how often; always if it is not given
 *     status, version ("1.1"), headers in pairs, body, or size of a body
 *     length   false: the answer has no length and ends with the connection
 *     chunked  sizes of chunks, the last one repeated
 *     info     statuses of 1xx answers before
 *     raw      text instead of an answer
 *     cut      only so many bytes of all that
 *     slow     true: one byte at a time
 *     hold     the name of a gate to wait at, until POST /release/<name>
 *     at       where: "answer" (before it), "header" (behind its header), or
 *              "body" (in the middle of it)
 *     then     "keep", "close", "reset", "hang" (nothing is read any more)
 *
 * Without a rule the answer is 200 with an empty body.  GET /state tells how
 * many connections and requests there were, how many are open and held; POST
 * /drop closes connections that are doing nothing.
 */

'use strict';

const fs = require('fs');
const http = require('http');
const net = require('net');
const tls = require('tls');

const options = JSON.parse(process.argv[2]);
const log = fs.openSync(options.log, 'a');
const open = new Map();             // by the peer's port
const gates = new Map();            // by name: {open, waiting}

let plan = [];
let connections = 0, requests = 0, active = 0;


function note(socket, kind, more) {
    const conn = socket && open.get(socket.remotePort);

    fs.writeSync(log, JSON.stringify({ time: Date.now() / 1000, kind,
        conn: conn ? conn.id : socket && socket.connId, ...more }) + '\n');
}


function rule(on, fields) {
    for (const r of plan) {
        const match = Object.entries(r.match || {});

        if ((r.on || 'request') !== on || r.times === 0
            || !match.every(([k, re]) => new RegExp(re).test(fields[k])))
        {
            continue;
        }

        if (r.times) {
            r.times--;
        }

        return r;
    }

    return on === 'request' ? {} : null;
}


function gate(name) {
    if (!gates.has(name)) {
        gates.set(name, { open: false, waiting: [] });
    }

    return gates.get(name);
}


function passed(name, socket) {
    const g = gate(name);

    if (g.open) {
        return Promise.resolve();
    }

    return new Promise((resolve) => {
        const go = () => {
            socket.removeListener('close', go);
            g.waiting = g.waiting.filter((w) => w !== go);
            resolve();
        };

        // who has gone waits no longer
        g.waiting.push(go);
        socket.once('close', go);
    });
}


function chunked(body, sizes) {
    const parts = [];

    for (let at = 0, i = 0; at < body.length; i++) {
        const size = sizes[Math.min(i, sizes.length - 1)];
        const part = body.subarray(at, at + size);

        parts.push(Buffer.from(part.length.toString(16) + '\r\n'), part,
            Buffer.from('\r\n'));
        at += size;
    }

    return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}


// the answer's header and its body

function answer(r) {
    const status = r.status || 200;
    const bodiless = status < 200 || status === 204 || status === 304;
    const headers = (r.headers || []).slice();
    let body = r.size ? Buffer.alloc(r.size, 'x')
                      : Buffer.from(r.body || '', 'latin1');

    if (r.raw !== undefined) {
        return [Buffer.from(r.raw, 'latin1'), Buffer.alloc(0)];
    }

    if (r.chunked) {
        headers.push(['Transfer-Encoding', 'chunked']);
        body = chunked(body, r.chunked);

    } else if (r.length !== false && !bodiless) {
        headers.push(['Content-Length', body.length]);
    }

    const line = (n, all) => `HTTP/${r.version || '1.1'} ${n} `
        + `${http.STATUS_CODES[n] || 'Some'}\r\n`
        + all.map(([k, v]) => `${k}: ${v}\r\n`).join('') + '\r\n';

    const head = (r.info || []).map((n) => line(n, [])).join('')
        + line(status, headers);

    return [Buffer.from(head, 'latin1'), bodiless ? Buffer.alloc(0) : body];
}


function written(socket, bytes) {
    return new Promise((resolve) => {
        if (!bytes.length || socket.destroyed) {
            resolve();
            return;
        }

        socket.once('close', resolve);
        socket.write(bytes, () => {
            socket.removeListener('close', resolve);
            setImmediate(resolve);
        });
    });
}


async function send(socket, r, bytes) {
    const step = r.slow ? 1 : bytes.length || 1;

    for (let at = 0; at < bytes.length; at += step) {
        await written(socket, bytes.subarray(at, at + step));
    }
}


async function carryOut(socket, r) {
    let [head, body] = answer(r);
    const cut = r.cut === undefined ? Infinity : r.cut;

    body = body.subarray(0, Math.max(0, cut - head.length));
    head = head.subarray(0, Math.min(head.length, cut));

    const half = r.at === 'body' ? body.length >> 1 : 0;
    const wait = (at) => r.hold && (r.at || 'answer') === at
        ? passed(r.hold, socket) : null;

    await wait('answer');
    await send(socket, r, head);
    await wait('header');
    await send(socket, r, body.subarray(0, half));
    await wait('body');
    await send(socket, r, body.subarray(half));

    end(socket, r.then);
}


function end(socket, how) {
    if (how === 'close') {
        socket.end();

    } else if (how === 'reset') {
        const raw = open.get(socket.remotePort);

        // for TLS the layer below has the connection
        (raw ? raw.socket : socket).resetAndDestroy();

    } else if (how === 'hang') {
        socket.pause();
    }
}


function received(req, body) {
    const socket = req.socket;
    const n = ++requests;
    const text = body.toString('latin1');

    active++;

    note(socket, 'request', { n, method: req.method, url: req.url,
        version: req.httpVersion, remote: socket.remotePort, active,
        id: req.headers['webhook-id'], lead: leadOf(body), ...peer(socket),
        ...(options.brief ? {} : { headers: pairs(req.rawHeaders),
            body: text }) });

    const r = rule('request', { url: req.url, body: text, n: String(n) });

    carryOut(socket, r).catch((e) => {
        note(socket, 'error', { code: e.code || String(e) });
    }).finally(() => {
        active--;
    });
}


function leadOf(body) {
    try {
        return JSON.parse(body.toString()).data.id;

    } catch (e) {
        return undefined;
    }
}


function pairs(list) {
    return list.flatMap((v, i) => i % 2 ? [] : [[v, list[i + 1]]]);
}


function peer(socket) {
    if (!socket.encrypted) {
        return {};
    }

    const subject = socket.getPeerCertificate().subject;

    return { servername: socket.servername || null,
        client: subject ? subject.CN : null, protocol: socket.getProtocol() };
}


// ---- what listens

const server = http.createServer({ requestTimeout: 0, headersTimeout: 0,
    keepAliveTimeout: 0 });

server.on('request', (req) => {
    const parts = [];

    req.on('data', (part) => parts.push(part));
    req.on('end', () => received(req, Buffer.concat(parts)));
    req.on('error', (e) => note(req.socket, 'bad', { code: e.code }));
});

server.on('clientError', (e, socket) => {
    // a connection that is reset between requests says nothing of them
    if (e.code !== 'ECONNRESET' || e.bytesParsed) {
        note(socket, 'bad', { code: e.code });
    }

    socket.destroy();
});

let secure = null;

if (options.tls) {
    const t = options.tls;
    const file = (name) => t[name] && fs.readFileSync(t[name]);

    secure = tls.createServer({ cert: file('cert'), key: file('key'),
        ca: file('ca'), requestCert: !!t.client,
        rejectUnauthorized: t.client === 'required',
        ...(t.max ? { maxVersion: t.max, minVersion: 'TLSv1',
            ciphers: 'DEFAULT@SECLEVEL=0' } : {}) });

    secure.on('secureConnection', (socket) => {
        note(socket, 'tls', peer(socket));
        socket.setNoDelay(true);
        server.emit('connection', socket);
    });

    secure.on('tlsClientError', (e, socket) => {
        note(socket, 'failed', { code: e.code || e.message });
        socket.destroy();
    });
}

const front = net.createServer({ allowHalfOpen: true }, (socket) => {
    const id = ++connections;
    const port = socket.remotePort;
    const r = rule('connect', { n: String(id) });

    open.set(port, { id, socket });
    socket.connId = id;
    socket.setNoDelay(true);
    note(socket, 'open', { remote: port });
    socket.on('error', () => {});

    socket.on('close', () => {
        note(socket, 'close', {});

        if (open.get(port) && open.get(port).socket === socket) {
            open.delete(port);
        }
    });

    if (r) {
        carryOut(socket, { cut: 0, then: 'hang', ...r }).catch(() => {});

    } else {
        (secure || server).emit('connection', socket);
    }
});


// ---- what is controlled

const control = http.createServer((req, res) => {
    const parts = [];

    req.on('data', (part) => parts.push(part));
    req.on('end', () => {
        const [, verb, name] = req.url.split('/');
        let said = {};

        if (verb === 'plan') {
            plan = JSON.parse(Buffer.concat(parts).toString());

        } else if (verb === 'release') {
            const g = gate(name);

            g.open = true;
            said = { released: g.waiting.length };
            g.waiting.slice().forEach((go) => go());

        } else if (verb === 'hold') {
            gate(name).open = false;

        } else if (verb === 'drop') {
            open.forEach((conn) => conn.socket.end());

        } else {
            const held = {};

            gates.forEach((g, key) => held[key] = g.waiting.length);
            said = { connections, requests, active, open: open.size, held };
        }

        res.end(JSON.stringify(said));
    });
});


// the test that started it is gone

const parent = process.ppid;

setInterval(() => {
    if (process.ppid !== parent) {
        process.exit(0);
    }
}, 500);

control.listen(0, '127.0.0.1', () => {
    front.on('error', (e) => {
        process.stdout.write(JSON.stringify({ error: e.code }) + '\n');
        process.exit(1);
    });

    front.listen(options.port || 0, options.host || '127.0.0.1', 511, () => {
        process.stdout.write(JSON.stringify({ port: front.address().port,
            control: control.address().port }) + '\n');
    });
});
