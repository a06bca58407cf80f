"""Count the records of the vault: true counts by area and period. Behind the wall."""
