"""The parts that pages share: page frame, address bar, markup."""
