package example.ledger.book;

import example.ledger.money.Money;

/** An amount on one side of one account. */
public record Posting(AccountId account, Side side, Money amount) {

    public Posting {
        if (amount.isNegative()) {
            throw new IllegalArgumentException("expected no negative amount, got " + amount);
        }
    }

    /** Puts an amount on the debit side. */
    public static Posting debit(AccountId account, Money amount) {
        return new Posting(account, Side.DEBIT, amount);
    }

    /** Puts an amount on the credit side. */
    public static Posting credit(AccountId account, Money amount) {
        return new Posting(account, Side.CREDIT, amount);
    }

    /** Returns the amount as debits: credits are negative. */
    public Money debits() {
        return side == Side.DEBIT ? amount : amount.negate();
    }

    /** Returns the posting that takes this one back. */
    public Posting reversed() {
        return new Posting(account, side.opposite(), amount);
    }
}
