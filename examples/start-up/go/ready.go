package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// WaitForTables returns when that version of the service's tables is applied, and none of its own below it is undone.
func WaitForTables(ctx context.Context, db *sql.DB, service string, version int64) error {
	said := "nobody was asked"
	for ctx.Err() == nil {
		var ready bool
		err := db.QueryRowContext(ctx, "SELECT bgce_migrate.ready($1, $2)", service, version).Scan(&ready)
		switch {
		case err == nil && ready:
			return nil
		case err == nil:
			said = "not applied"
		case ctx.Err() == nil: // the database, or its bookkeeping (SQLSTATE 3F000), is not there yet
			said = err.Error()
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s is not at version %d (%s): %w", service, version, said, ctx.Err())
}
