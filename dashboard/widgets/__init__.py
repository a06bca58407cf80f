"""The parts that several pages use, such as the page frame, choices in the address, charts, pictures and markup."""
