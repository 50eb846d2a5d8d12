"""What ends and when: due dates, holds, cases, withdrawals, the sweep that carries it out. Who may decide is asked in `seen`."""
