-- SPDX-License-Identifier: MIT
-- wrk script: one thread per connection; each submits a task, waits until it rests, and starts again.
-- Environment: TASKER_BENCH_BODY, a JSON request with the word @RUN@ where every task differs.
local template = os.getenv("TASKER_BENCH_BODY")
local headers = {["Content-Type"] = "application/json"}
local number = 0

function setup(thread)
   number = number + 1
   thread:set("id", number)
end

function init()
   count, task = 0, nil
   run = os.time() .. "-" .. id .. "-"
end

function request()
   if task then
      return wrk.format("GET", "/v1/tasks/" .. task .. "?wait=30s")
   end
   count = count + 1
   return wrk.format("POST", "/v1/tasks", headers, (template:gsub("@RUN@", run .. count)))
end

function response(status, _, body)
   if task then
      task = nil
   elseif status == 200 then
      task = body:match('"task_uuid"%s*:%s*"([%x-]+)"')
   end
end
