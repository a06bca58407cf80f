"""The parts that pages share, such as the page frame, choices in the address, charts, pictures and markup."""
