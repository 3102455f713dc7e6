package example.ledger.report;

import example.ledger.book.AccountId;
import example.ledger.book.AccountType;
import example.ledger.book.Entry;
import example.ledger.book.Ledger;
import example.ledger.money.Money;
import example.ledger.time.DateRange;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;

/** What happened to one account in a range of days. */
public record Statement(AccountId account, DateRange period, Money opening, List<Line> lines) {

    public Statement {
        lines = List.copyOf(lines);
    }

    /** Draws up the statement of an account from the ledger. */
    public static Statement of(Ledger ledger, AccountId account, DateRange period) {
        AccountType type = ledger.account(account).type();
        Money opening = ledger.balanceOf(account, period.first().minusDays(1));
        List<Line> lines = new ArrayList<>();
        for (Entry entry : ledger.journal().entries(period)) {
            if (entry.touches(account)) {
                Money amount = type.growth(entry.debitsOf(account));
                lines.add(new Line(entry.date(), entry.description(), amount));
            }
        }
        return new Statement(account, period, opening, lines);
    }

    /** Returns the balance after the last line. */
    public Money closing() {
        return opening.plus(change());
    }

    /** Returns by how much the balance grew. */
    public Money change() {
        return Money.sum(lines.stream().map(Line::amount).toList(), opening.currency());
    }

    /** Returns the lowest balance of the period, the opening one included. */
    public Money lowestBalance() {
        Money lowest = opening;
        Money balance = opening;
        for (Line line : lines) {
            balance = balance.plus(line.amount());
            if (balance.compareTo(lowest) < 0) {
                lowest = balance;
            }
        }
        return lowest;
    }

    /** One movement; a negative amount went out. */
    public record Line(LocalDate date, String description, Money amount) {}
}
