"""What the pages share: page frame, address bar, markup."""
