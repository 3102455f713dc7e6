package example.ledger.report;

import static example.ledger.report.ReportAssertions.assertMoney;
import static example.ledger.report.StatementFixture.aStatement;
import static example.ledger.report.StatementFixture.euros;

import example.ledger.book.Account;
import example.ledger.book.AccountId;
import example.ledger.book.Ledger;
import example.ledger.money.Currency;
import example.ledger.money.Money;
import example.ledger.time.DateRange;
import java.time.LocalDate;
import org.junit.jupiter.api.Test;

class StatementTest {

    @Test
    void of_startsWithTheBalanceOfTheDayBefore() {
        AccountId bank = AccountId.of("assets:bank");
        AccountId salary = AccountId.of("income:salary");
        Ledger ledger = new Ledger();
        ledger.open(new Account(bank, Currency.EUR));
        ledger.open(new Account(salary, Currency.EUR));
        ledger.transfer(salary, bank, euros("10.00"), LocalDate.parse("2024-02-29"));
        ledger.transfer(salary, bank, euros("20.00"), LocalDate.parse("2024-03-01"));

        Statement actual = Statement.of(ledger, bank, DateRange.ofMonth(2024, 3));

        assertMoney("10.00 EUR", actual.opening());
        assertMoney("30.00 EUR", actual.closing());
    }

    @Test
    void closing_addsTheLinesToTheOpening() {
        Statement statement = aStatement()
                .withOpening("100.00")
                .withLine("2024-03-01", "Bread", "-4.00")
                .build();

        Money actual = statement.closing();

        assertMoney("96.00 EUR", actual);
    }

    @Test
    void change_addsUpTheLines() {
        Statement statement = aStatement()
                .withLine("2024-03-01", "Salary", "50.00")
                .withLine("2024-03-02", "Bread", "-4.00")
                .build();

        Money actual = statement.change();

        assertMoney("46.00 EUR", actual);
    }
}
