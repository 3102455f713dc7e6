package example.ledger.testing;

import example.ledger.book.AccountId;
import example.ledger.money.Currency;
import example.ledger.money.Money;
import java.time.LocalDate;

/** Short names for the values that tests are made of. */
public final class Values {

    public static final AccountId BANK = AccountId.of("assets:bank");
    public static final AccountId CASH = AccountId.of("assets:cash");
    public static final AccountId RENT = AccountId.of("expenses:rent");
    public static final AccountId SALARY = AccountId.of("income:salary");

    private Values() {}

    /** Makes an amount in euros. */
    public static Money euros(String amount) {
        return Money.of(amount, Currency.EUR);
    }

    /** Makes an amount in dollars. */
    public static Money dollars(String amount) {
        return Money.of(amount, Currency.USD);
    }

    /** Makes a day such as {@code day("2024-03-01")}. */
    public static LocalDate day(String date) {
        return LocalDate.parse(date);
    }
}
