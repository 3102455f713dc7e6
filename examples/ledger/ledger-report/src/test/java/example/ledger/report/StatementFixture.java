package example.ledger.report;

import example.ledger.book.AccountId;
import example.ledger.money.Currency;
import example.ledger.money.Money;
import example.ledger.time.DateRange;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;

/** Builds statements of the bank in March 2024, without lines unless told otherwise. */
final class StatementFixture {

    private final List<Statement.Line> lines = new ArrayList<>();
    private String opening = "0";

    private StatementFixture() {}

    static StatementFixture aStatement() {
        return new StatementFixture();
    }

    static Money euros(String amount) {
        return Money.of(amount, Currency.EUR);
    }

    StatementFixture withOpening(String euros) {
        this.opening = euros;
        return this;
    }

    StatementFixture withLine(String date, String description, String euros) {
        this.lines.add(new Statement.Line(LocalDate.parse(date), description, euros(euros)));
        return this;
    }

    Statement build() {
        AccountId bank = AccountId.of("assets:bank");
        return new Statement(bank, DateRange.ofMonth(2024, 3), euros(opening), lines);
    }
}
