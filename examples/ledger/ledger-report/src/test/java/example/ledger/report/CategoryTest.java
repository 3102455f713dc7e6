package example.ledger.report;

import static example.ledger.report.StatementFixture.euros;
import static org.junit.jupiter.api.Assertions.assertTrue;

import example.ledger.book.AccountId;
import example.ledger.book.Entry;
import example.ledger.book.Posting;
import java.time.LocalDate;
import org.junit.jupiter.api.Test;

class CategoryTest {

    private final Category food = Category.of("Food", "bread", "market");

    @Test
    void matches_ignoresCase() {
        assertTrue(food.matches("Fresh BREAD"));
    }

    @Test
    void matches_looksAtTheDescriptionOfAnEntry() {
        Posting debit = Posting.debit(AccountId.of("expenses:food"), euros("10.00"));
        Posting credit = Posting.credit(AccountId.of("assets:cash"), euros("10.00"));
        Entry entry = Entry.of(LocalDate.parse("2024-03-01"), "Market hall", debit, credit);

        assertTrue(food.matches(entry));
    }
}
