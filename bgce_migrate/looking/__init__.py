"""One page about any tree of migrations, for somebody who has prepared nothing."""
