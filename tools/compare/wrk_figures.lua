-- SPDX-License-Identifier: MIT
-- For wrk -s: figures as one line of JSON at the end. An argument after -- names a script that makes the requests.
function init(arguments)
   if arguments[1] then
      dofile(arguments[1])
   end
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "seconds": %.6f, "errors": %d, "timeouts": %d, "p50": %.4f, "p90": %.4f, "p99": %.4f, "p999": %.4f}\n',
      summary.requests, summary.duration / 1e6,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout, errors.timeout,
      latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3,
      latency:percentile(99.9) / 1e3))
end
