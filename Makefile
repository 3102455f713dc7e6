# make demo   installs, trains on examples/ledger, shows status, generates a test
# make test   sets up what is missing and runs every check
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
LEDGER := examples/ledger
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: setup demo test check lint extension system clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is missing; name another with PYTHON=python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev,benchmarks,tensorboard]"
	@# its pin of tree-sitter would hold ours back; it runs with newer ones
	$(BIN)/pip install --quiet --constraint constraints.txt --no-deps codebleu
	@touch $@

demo: setup
	@sh examples/demo.sh $(BIN)/personalizer $(LEDGER)

system:
	@sh .ci/system

test: setup system
	$(MAKE) --no-print-directory check

check: lint extension
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

extension: setup
	@command -v npm >/dev/null || { echo "make: npm with Node 20 or newer is missing; it builds vscode-extension"; exit 1; }
	cd vscode-extension && npm ci --no-audit --no-fund && npm run lint && npm test && PYTHON=$(abspath $(BIN))/python npm run package

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy benchmarks
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) build dist
