# make run      the whole system on this machine, http://127.0.0.1:8080
# make test     every test, with everything they need fetched first
# make check    format, vet, lint, template
# make build    what is deployed, by sam (ARCHITECTURE=x86_64 for the other processor)
# make bench    benchmarks, ours and of other engines beside us; make sizes: of the bootstraps, with their start times
# make fuzz-long  fuzzes what is read, and compares the decision with the plain reading of the rules over a million questions
# make load     a bounded load on the running system, with its percentiles
# make clean    removes what was built; make distclean: what was fetched, too

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

GOLANGCI_VERSION := v2.15.0
CACHE := $(CURDIR)/.cache
GOLANGCI := $(CACHE)/bin/golangci-lint-$(GOLANGCI_VERSION)
SAM := $(CACHE)/sam/bin/sam
SAM_PINS := infra/tools/sam.txt
SAM_STAMP := $(CACHE)/sam/.$(shell sha256sum $(SAM_PINS) 2>/dev/null | cut -c1-16)

export SAM_CLI_TELEMETRY := 0
export AWS_DEFAULT_REGION ?= us-east-1

# How the bootstraps are compiled, and whatever else needs no race detector, so that nothing is compiled twice. Neither
# Lambda's RPC server nor HTTP/2 is used: the runtime API, DynamoDB, Cognito and SES are asked by HTTP/1.1.
PLAIN := CGO_ENABLED=0 GOFLAGS="$(strip $(GOFLAGS) -trimpath -buildvcs=false -tags=lambda.norpc,nethttpomithttp2)"

.PHONY: help run local test check build bench fuzz-long load sizes clean distclean sam
help:
	@sed -n 's/^# //p' Makefile | head -8

run: local
	@exec $(LOCAL)

LOCAL := $(CACHE)/bin/local
local:
	@[ -x $(LOCAL) ] || echo "compiling (some minutes the first time)" >&2
	@$(PLAIN) go build -o $(LOCAL) ./infra/local

# What builds or drives the whole system has deadlines of its own: these go one after the other, after the rest.
WHOLE := gemba/infra/shipped gemba/infra/whole
# What takes longest begins first, so that nothing is left to run alone at the end.
LONG := gemba/shared/dynamo gemba/functions/permission/endpoints
test: $(SAM_STAMP)
	@go test -race -vet=off -timeout 15m $(LONG) $(filter-out $(LONG) $(WHOLE),$(shell go list ./...))
	@cd infra/bench && $(PLAIN) go test -vet=off -timeout 15m ./...
	@go test -race -vet=off -timeout 15m -p 1 ./infra/shipped ./infra/whole

check: $(SAM_STAMP) $(GOLANGCI)
	@files=$$(git ls-files -co --exclude-standard -- '*.go' | xargs -r gofmt -l); \
	  if [ -n "$$files" ]; then echo "gofmt -w these:"; echo "$$files"; exit 1; fi
	$(PLAIN) go vet ./...
	cd infra/bench && $(PLAIN) go vet ./...
	$(PLAIN) $(GOLANGCI) run --allow-parallel-runners ./...
	cd infra/bench && $(PLAIN) $(GOLANGCI) run --config ../../.golangci.yml --allow-parallel-runners ./...
	$(SAM) validate --lint

# sam makes the bootstraps beside one another, and none waits for what another compiles: all is compiled first, once.
build: $(SAM_STAMP)
	@GOOS=linux GOARCH=$(GOARCH_$(ARCHITECTURE)) $(PLAIN) go list -export -f '{{""}}' ./functions/... >/dev/null
	$(SAM) build --parameter-overrides Architecture=$(ARCHITECTURE) --build-dir $(BUILD_DIR)

# The other engines are of a module of their own, so that they are no part of the product; that they agree with ours is
# proven first.
bench:
	go test -run '^$$' -bench . -benchmem ./shared/... ./functions/...
	cd infra/bench && go test -bench . .

# FUZZTIME is that of each target, CHECKS how many random worlds the properties of the decision are tried in.
FUZZTIME ?= 2m
CHECKS ?= 3000
FUZZED := shared/authz:FuzzWords shared/body:FuzzRead shared/body:FuzzPersona shared/dynamo:FuzzNoTwoThingsHaveOneKey functions/permission/endpoints:FuzzRequests functions/persona/page:FuzzNames
fuzz-long:
	go test -count 1 -timeout 2h -v ./shared/authz -rapid.checks $(CHECKS) | grep -E 'compared|passed|FAIL|panic|^ok'
	@for target in $(FUZZED); do \
	  echo "fuzzing $$target for $(FUZZTIME)"; \
	  go test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime $(FUZZTIME) ./$${target%%:*}; \
	done

# URL=http://127.0.0.1:8080 loads a system that runs; else one is started for it. LOAD is more of its flags, as -requests 20000.
load: local
	@cd infra/bench && $(PLAIN) go build -o $(CACHE)/bin/load ./load
	@exec $(CACHE)/bin/load $(if $(URL),-url $(URL),-local $(LOCAL)) $(LOAD)

sizes:
	go test -run '^$$' -bench 'Bootstrap' -benchtime 20x ./infra/shipped

clean:
	rm -rf .aws-sam build

distclean: clean
	rm -rf .cache

# ---- What the tests and checks fetch -----------------------------------------

sam: $(SAM_STAMP)

# The stamp's name says which pins it is of; that a checkout made the file anew is no reason to fetch again.
$(SAM_STAMP):
	@echo "fetching aws-sam-cli (about 300 MB, once)"
	@rm -rf $(CACHE)/sam
	@python3 -m venv $(CACHE)/sam
	@$(CACHE)/sam/bin/pip install --quiet --disable-pip-version-check --requirement $(SAM_PINS)
	@touch $@

$(GOLANGCI):
	@echo "building golangci-lint $(GOLANGCI_VERSION) (some minutes, once)"
	@GOBIN=$(CACHE)/bin/new go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv $(CACHE)/bin/new/golangci-lint $@
	@rmdir $(CACHE)/bin/new

# ---- The bootstraps, one target a logical id of template.yaml; sam build calls them --------------------------
# The same source makes the same file, whatever the commit, so a deployment changes only the functions that changed.

ARCHITECTURE ?= arm64
BUILD_DIR ?= .aws-sam/build
GOARCH_arm64 := arm64
GOARCH_x86_64 := amd64
export ARCHITECTURE

FOLDER_DirectoryFunction := directory
FOLDER_PersonaFunction := persona
FOLDER_RoleFunction := role
FOLDER_PermissionFunction := permission
FOLDER_ImpersonationFunction := impersonation
FOLDER_TimelineFunction := timeline
FOLDER_PersonaAuditFunction := persona-audit
FOLDER_NotifierFunction := notifier
FOLDER_ProjectionFunction := projection

BOOTSTRAPS := $(patsubst FOLDER_%,build-%,$(filter FOLDER_%,$(.VARIABLES)))
.PHONY: $(BOOTSTRAPS)
$(BOOTSTRAPS): build-%:
	@test -n "$(GOARCH_$(ARCHITECTURE))" || { echo "ARCHITECTURE is arm64 or x86_64, not $(ARCHITECTURE)"; exit 1; }
	GOOS=linux GOARCH=$(GOARCH_$(ARCHITECTURE)) $(PLAIN) go build -ldflags "-s -w" -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(FOLDER_$*)
