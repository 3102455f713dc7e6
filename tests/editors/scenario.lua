-- Chooses a code action in a headless neovim and writes what the user then sees, as JSON.
-- Environment: SCENARIO_FILE, SCENARIO_LINE (text of the line), SCENARIO_ACTION, SCENARIO_WAIT
-- (text that ends the wait), SCENARIO_OUT.

local env = vim.env
local report = { messages = {}, choices = {} }

local function finish(error)
  report.error = error
  report.buffers = {}
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    local name = vim.api.nvim_buf_get_name(buffer)
    if vim.api.nvim_buf_is_loaded(buffer) and name:match("%.java$") then
      report.buffers[name] = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n")
    end
  end
  local file = assert(io.open(env.SCENARIO_OUT, "w"))
  file:write(vim.fn.json_encode(report))
  file:close()
  vim.cmd("qall!")
end

local function check(condition, error)
  if not vim.wait(20000, condition, 20) then
    finish(error)
    error("gave up: " .. error)
  end
end

local function seen(text)
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) then
      for _, line in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) do
        if line:find(text, 1, true) then
          return true
        end
      end
    end
  end
  return false
end

vim.lsp.handlers["window/showMessage"] = function(_, result)
  table.insert(report.messages, result.message)
end

vim.ui.select = function(items, options, choose)
  for index, item in ipairs(items) do
    local title = options.format_item and options.format_item(item) or item
    table.insert(report.choices, title)
    if title:find(env.SCENARIO_ACTION, 1, true) then
      choose(item, index)
      return
    end
  end
  choose(nil, nil)
end

vim.cmd("edit " .. env.SCENARIO_FILE)
check(function()
  local client = vim.lsp.buf_get_clients(0)
  return next(client) ~= nil and vim.tbl_values(client)[1].initialized
end, "no server")
vim.fn.cursor(1, 1)
if vim.fn.search("\\V" .. env.SCENARIO_LINE, "c") == 0 then
  finish("no such line")
end
vim.lsp.buf.code_action()
check(function()
  return seen(env.SCENARIO_WAIT)
end, "the text did not come")
finish(nil)
