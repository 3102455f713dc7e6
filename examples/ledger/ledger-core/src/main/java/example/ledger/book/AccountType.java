package example.ledger.book;

import example.ledger.money.Money;

/** The five kinds of accounts; each grows on one side. */
public enum AccountType {
    ASSET(Side.DEBIT),
    EXPENSE(Side.DEBIT),
    LIABILITY(Side.CREDIT),
    EQUITY(Side.CREDIT),
    INCOME(Side.CREDIT);

    private final Side normalSide;

    AccountType(Side normalSide) {
        this.normalSide = normalSide;
    }

    /** Tells the type by the first part of an account's path. */
    public static AccountType of(AccountId id) {
        return switch (id.root()) {
            case "assets" -> ASSET;
            case "expenses" -> EXPENSE;
            case "liabilities" -> LIABILITY;
            case "equity" -> EQUITY;
            case "income" -> INCOME;
            default -> throw new IllegalArgumentException("no account type for " + id);
        };
    }

    /** Turns an amount of debits into the amount by which the balance grows. */
    public Money growth(Money debits) {
        return normalSide == Side.DEBIT ? debits : debits.negate();
    }
}
