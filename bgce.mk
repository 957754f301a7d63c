# The platform's migration targets. Include it from a service's Makefile:
#   BGCE = bgce-migrate
#   include path/to/bgce.mk
# Variables: domain=cortex  name=add_index (or NAME=)  version=3  steps=1  cmd=./deploy.sh  health="curl -fsS ..."

BGCE ?= bgce-migrate
name ?= $(NAME)
version ?= $(VERSION)

# The embedded server is used only where nothing names a database; a variable that is set and empty is an error.
bgce_defined := $(strip $(foreach v,DATABASE_URL PGSERVICE PGHOST PGHOSTADDR PGPORT PGDATABASE,$(if $(filter undefined,$(origin $(v))),,$(v))))
bgce_dotenv := $(shell grep -s -l '^ *\(export \)\{0,1\}DATABASE_URL=' .env)
BGCE_TARGET ?= $(if $(bgce_defined)$(bgce_dotenv),,--embedded)
bgce_domain := $(if $(domain),--domain $(domain))

.PHONY: migrate-up migrate-down migrate-create migrate-force migrate-version migrate-status migrate-plan migrate-deploy

migrate-up: ## Apply everything that is pending (steps=N, domain=NAME)
	@$(BGCE) up $(steps) $(bgce_domain) $(BGCE_TARGET)

migrate-down: ## Undo the last migrations of a domain (domain=NAME, steps=1)
	@$(BGCE) down $(or $(steps),1) $(bgce_domain) $(BGCE_TARGET)

migrate-create: ## Write the next pair of files (domain=NAME, name=add_index)
	@$(BGCE) create $(bgce_domain) $(if $(name),$(name),"$$(read -p 'name: ' answer && echo "$$answer")")

migrate-force: ## Record a version without running anything (domain=NAME, version=3)
	@$(BGCE) force $(if $(version),$(version),"$$(read -p 'version: ' answer && echo "$$answer")") $(bgce_domain) $(BGCE_TARGET)

migrate-version: ## Say which version is applied (domain=NAME)
	@$(BGCE) version $(bgce_domain) $(BGCE_TARGET)

migrate-status: ## List every migration and where it stands
	@$(BGCE) status $(BGCE_TARGET)

migrate-plan: ## Show what `migrate-up` would do, and why in this order
	@$(BGCE) plan --explain $(BGCE_TARGET)

# Lines for the shell go through the environment: no quote in them can end ours.
migrate-deploy: export BGCE_MAKE_CMD := $(cmd)
migrate-deploy: export BGCE_MAKE_HEALTH := $(health)
migrate-deploy: ## Apply a domain's steps, run cmd, undo where it fails (domain=NAME, cmd="./deploy.sh", health=, undo=all)
	@test -n "$$BGCE_MAKE_CMD" || { echo 'say what deploys: make $@ domain=NAME cmd="./deploy.sh"' >&2; exit 2; }
	@$(BGCE) deploy $(bgce_domain) $(if $(undo),--undo $(undo)) $(if $(health),--health "$$BGCE_MAKE_HEALTH") $(BGCE_TARGET) -- sh -c "$$BGCE_MAKE_CMD"
