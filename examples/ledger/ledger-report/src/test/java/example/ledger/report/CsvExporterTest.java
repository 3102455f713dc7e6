package example.ledger.report;

import static example.ledger.report.ReportAssertions.assertLines;
import static example.ledger.report.StatementFixture.aStatement;

import example.ledger.book.Account;
import example.ledger.book.AccountId;
import example.ledger.book.TrialBalance;
import example.ledger.money.Currency;
import java.util.List;
import org.junit.jupiter.api.Test;

class CsvExporterTest {

    private final CsvExporter exporter = new CsvExporter();

    @Test
    void export_writesARowForEachLine() {
        Statement statement = aStatement().withLine("2024-03-01", "Bread", "-4.00").build();

        String actual = exporter.export(statement);

        assertLines(actual, "date,description,amount", "2024-03-01,Bread,-4.00");
    }

    @Test
    void export_quotesTheSeparator() {
        Statement statement = aStatement().withLine("2024-03-01", "Bread; wine", "-9.00").build();

        String actual = new CsvExporter(';').export(statement);

        assertLines(actual, "date;description;amount", "2024-03-01;\"Bread; wine\";-9.00");
    }

    @Test
    void export_writesARowForEachAccount() {
        Account bank = new Account(AccountId.of("assets:bank"), Currency.EUR);
        bank.deposit("10.00");
        TrialBalance balance = TrialBalance.of(List.of(bank), Currency.EUR);

        String actual = exporter.export(balance);

        assertLines(actual, "account,debit,credit", "assets:bank,10.00 EUR,0.00 EUR");
    }
}
