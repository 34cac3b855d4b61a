# Two commands: `make demo` sets up and investigates the sample case; `make test` sets up and passes the tests.
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed

.PHONY: demo test lock clean
demo: $(STAMP)
	$(VENV)/bin/wigmore demo demo

test: $(STAMP)
	scripts/check

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(VENV)/bin/python -m compileall -q src
	touch $(STAMP)

lock:
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra dev --extra build --extra ocr --extra pdf --extra models --extra tracing pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) demo
