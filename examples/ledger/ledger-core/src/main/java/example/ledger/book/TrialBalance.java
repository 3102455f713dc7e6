package example.ledger.book;

import example.ledger.money.Currency;
import example.ledger.money.Money;
import java.util.Collection;
import java.util.List;

/** The balances of all accounts of one currency, each on its side. */
public record TrialBalance(Currency currency, List<Line> lines) {

    /** Draws up the balances of the accounts that are kept in a currency. */
    public static TrialBalance of(Collection<Account> accounts, Currency currency) {
        List<Line> lines = accounts.stream()
                .filter(account -> account.balance().currency() == currency)
                .map(Line::of)
                .toList();
        return new TrialBalance(currency, lines);
    }

    /** Returns the sum of the debit column. */
    public Money debits() {
        return Money.sum(lines.stream().map(Line::debit).toList(), currency);
    }

    /** Returns the sum of the credit column. */
    public Money credits() {
        return Money.sum(lines.stream().map(Line::credit).toList(), currency);
    }

    /** Says whether both columns have the same sum. */
    public boolean isBalanced() {
        return debits().equals(credits());
    }

    /** One account; either column is zero. */
    public record Line(AccountId account, Money debit, Money credit) {

        static Line of(Account account) {
            Money zero = Money.zero(account.balance().currency());
            Money debits = account.type().growth(account.balance());
            return debits.isNegative()
                    ? new Line(account.id(), zero, debits.negate())
                    : new Line(account.id(), debits, zero);
        }
    }
}
