package example.ledger.book;

/** The two sides of an account. */
public enum Side {
    DEBIT,
    CREDIT;

    /** Returns the other side. */
    public Side opposite() {
        return this == DEBIT ? CREDIT : DEBIT;
    }
}
