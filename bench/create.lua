-- Copyright (C) the ngx_lead authors
--
-- One create per request, each with a fresh Idempotency-Key, and a line of
-- figures at the end.  Environment: KEY, URI, BODY (a file), SEED.

local key = os.getenv("KEY")
local path = os.getenv("URI")
local body = io.open(os.getenv("BODY")):read("*a")

local prefix, n

function init(args)
    math.randomseed(tonumber(os.getenv("SEED")))
    prefix = string.format("%08x-%08x-", math.random(0, 2147483647),
                           math.random(0, 2147483647))
    n = 0
end

function request()
    n = n + 1
    return wrk.format("POST", path, {
        ["Host"] = "localhost",
        ["Authorization"] = "Bearer " .. key,
        ["Content-Type"] = "application/json",
        ["Idempotency-Key"] = prefix .. n
    }, body)
end

function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format("figures %d %d %d %d %d\n",
        summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        e.connect + e.read + e.write + e.status + e.timeout))
end
