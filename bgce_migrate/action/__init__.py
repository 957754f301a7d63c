"""The GitHub Action: one entry that `action.yml` runs; it asks the program itself and tells GitHub the answer."""
