package example.ledger.policy;

import example.ledger.money.Money;

/** The same fee for each amount, waived for large ones. */
public final class FlatFee implements FeePolicy {

    private final Money fee;
    private final Money waivedFrom;

    /** Charges a fee for each amount. */
    public FlatFee(Money fee) {
        this(fee, null);
    }

    /** Charges a fee for each amount below {@code waivedFrom}. */
    public FlatFee(Money fee, Money waivedFrom) {
        this.fee = fee;
        this.waivedFrom = waivedFrom;
    }

    /** Returns the fee, or zero where it is waived. */
    @Override
    public Money feeFor(Money amount) {
        if (waivedFrom != null && amount.compareTo(waivedFrom) >= 0) {
            return Money.zero(amount.currency());
        }
        return fee;
    }
}
