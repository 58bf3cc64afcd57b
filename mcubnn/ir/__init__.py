"""The intermediate representation: types, operators as data, graphs, printer and verifier."""
