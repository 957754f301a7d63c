"""One file a command, thin: values in, values out. The table below is all that `--help` needs."""

from __future__ import annotations

#: Name -> where its click command is, and its line in `--help`; grouped as they are listed there.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Every day": {
        "up": ("up:up", "Apply what is pending, in one order over all domains."),
        "down": ("down:down", "Undo migrations; says first what data would be lost."),
        "goto": ("goto:goto", "Bring one domain to a version, up or down."),
        "deploy": ("deploy:deploy", "Apply, run a command, and undo where it fails."),
        "plan": ("plan:plan", "Show what `up` would do, and why in this order."),
        "status": ("status:status", "List every migration and where it stands."),
        "history": ("history:history", "List everything that was done, and check that it is whole."),
        "version": ("version:version", "Print the applied version of each domain."),
        "graph": ("graph:graph", "Draw the domains and what they need of each other."),
    },
    "Writing": {
        "look": ("look:look", "Look at any tree of migrations: one page, nothing prepared."),
        "init": ("init:init", "Make a repository ready."),
        "new": ("new:new", "Write a new domain or the next migration."),
        "create": ("create:create", "Write the next migration, as golang-migrate's command does."),
        "lock": ("lock:lock", "Record the order of new migrations in bgce.lock."),
        "lint": ("lint:lint", "Judge new migrations before they run; needs no database."),
        "verify": ("verify:verify", "Prove every down on a throw-away server."),
        "explain": ("explain:explain", "Show the page of a rule of lint."),
        "renumber": ("renumber:renumber", "Give new migrations new numbers where another branch took theirs."),
        "hook": ("hook:hook", "Check migrations before every commit."),
        "codeowners": ("codeowners:codeowners", "Write who reviews the migrations of each domain."),
        "check": ("check:check", "Check order, lock file and git, without a database."),
    },
    "Database and servers": {
        "drift": ("drift:drift", "Say what was changed in the database beside the migrations."),
        "grants": ("grants:grants", "Make rights as declared, find drift, show who may do what."),
        "bootstrap": ("bootstrap:bootstrap", "Make roles and bookkeeping, once, as an administrator."),
        "adopt": ("adopt:adopt", "Take over a database that exists, with a proof."),
        "baseline": ("baseline:baseline", "Record what is there as applied, with the same proof."),
        "wait": ("wait:wait", "Wait until migrations are applied; for pods and services that start."),
        "route": ("route:route", "Show where each service writes to and reads from now."),
        "metrics": ("metrics:metrics", "Write or serve metrics; alert rules and a dashboard."),
        "pgbouncer": ("pgbouncer:pgbouncer", "Write a pooler's configuration and check its sums."),
        "server": ("server:server", "Start, stop and look at a local server."),
        "export": ("export:export", "Write what other tools need to go on from here."),
        "stats": ("stats:stats", "Write the sizes of tables, for plan --measure elsewhere."),
        "doctor": ("doctor:doctor", "Say what is here and what would be used."),
    },
    "When something went wrong": {
        "incident": ("incident:incident", "Show what runs, what it waits for, and what is safe to do."),
        "pause": ("incident:pause", "Let a run give up its step and wait."),
        "resume": ("incident:resume", "Let a paused run go on."),
        "cancel": ("incident:cancel", "End a run as Ctrl-C would."),
        "force": ("force:force", "Record a version without running anything."),
        "repair": ("repair:repair", "Correct what is recorded, with a row that says why."),
        "drop": ("drop:drop", "Drop everything the project owns."),
    },
}
