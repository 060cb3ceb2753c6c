"""Documents as a connector would send them, written for these tests."""

_ADDRESS = """
fragment Address on MailingAddress {
  id address1 address2 city company country countryCodeV2 firstName lastName phone province provinceCode zip
}
"""

CUSTOMERS = (
    """
query Customers($first: Int!, $after: String, $query: String) {
  customers(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes {
      id legacyResourceId createdAt updatedAt firstName lastName note state tags taxExempt verifiedEmail
      multipassIdentifier numberOfOrders
      defaultEmailAddress { emailAddress }
      defaultPhoneNumber { phoneNumber }
      lastOrder { legacyResourceId name presentmentCurrencyCode }
      amountSpent { amount currencyCode }
      defaultAddress { id }
      addressesV2(first: 10) { nodes { ...Address } pageInfo { hasNextPage endCursor } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _ADDRESS
)
ADDRESSES = (
    """
query Addresses($id: ID!, $after: String) {
  customer(id: $id) {
    id
    defaultAddress { id }
    addressesV2(first: 250, after: $after) { nodes { ...Address } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + _ADDRESS
)
_LINE = """
fragment Shop on MoneyBag { shopMoney { amount currencyCode } }
fragment Line on LineItem {
  id name title variantTitle sku vendor quantity currentQuantity unfulfilledQuantity fulfillableQuantity
  fulfillmentStatus isGiftCard requiresShipping taxable
  fulfillmentService { handle }
  weight { unit value }
  originalUnitPriceSet { ...Shop }
  originalTotalSet { ...Shop }
  totalDiscountSet { ...Shop }
  product { legacyResourceId }
  variant { legacyResourceId }
  discountAllocations { allocatedAmountSet { ...Shop } discountApplication { index } }
}
"""
ORDERS = (
    """
query Orders($first: Int!, $after: String, $query: String) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes {
      id legacyResourceId name number clientIp customerAcceptsMarketing cancelReason cancelledAt cartToken
      checkoutToken closedAt createdAt updatedAt processedAt currencyCode presentmentCurrencyCode customerLocale
      email phone estimatedTaxes displayFinancialStatus displayFulfillmentStatus note sourceName sourceIdentifier
      registeredSourceUrl statusPageUrl tags discountCodes taxesIncluded test totalWeight
      app { id }
      customer { legacyResourceId }
      retailLocation { legacyResourceId }
      customerJourneySummary { ready lastVisit { landingPage referrerUrl } }
      currentSubtotalPriceSet { ...Shop }
      currentTotalDiscountsSet { ...Shop }
      currentTotalPriceSet { ...Shop }
      currentTotalTaxSet { ...Shop }
      subtotalPriceSet { ...Shop }
      totalDiscountsSet { ...Shop }
      totalOutstandingSet { ...Shop }
      totalPriceSet { ...Shop }
      totalTaxSet { ...Shop }
      totalTipReceivedSet { ...Shop }
      discountApplications(first: 10) {
        nodes {
          __typename index targetType
          value { __typename ... on MoneyV2 { amount currencyCode } ... on PricingPercentageValue { percentage } }
          ... on DiscountCodeApplication { code }
        }
        pageInfo { hasNextPage endCursor }
      }
      shippingLines(first: 5) {
        nodes { discountAllocations { allocatedAmountSet { shopMoney { amount } } discountApplication { index } } }
      }
      lineItems(first: 20) { nodes { ...Line } pageInfo { hasNextPage endCursor } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _LINE
)
ORDER_LINES = (
    """
query Lines($id: ID!, $after: String) {
  order(id: $id) {
    id
    lineItems(first: 250, after: $after) { nodes { ...Line } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + _LINE
)
_REFUND_LINE = """
fragment RefundLine on RefundLineItem {
  id quantity restockType
  location { legacyResourceId }
  lineItem { id }
  subtotalSet { shopMoney { amount currencyCode } }
  totalTaxSet { shopMoney { amount currencyCode } }
}
"""
REFUNDS = (
    """
query Refunds($first: Int!, $after: String, $query: String) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes {
      id updatedAt
      refunds {
        id legacyResourceId createdAt updatedAt
        refundLineItems(first: 50) { nodes { ...RefundLine } pageInfo { hasNextPage endCursor } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _REFUND_LINE
)
REFUND_LINES = (
    """
query RefundLines($id: ID!, $after: String) {
  refund(id: $id) {
    id
    refundLineItems(first: 250, after: $after) { nodes { ...RefundLine } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + _REFUND_LINE
)
PRODUCTS = """
query Products($first: Int!, $after: String, $query: String) {
  products(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes {
      id legacyResourceId descriptionHtml createdAt updatedAt publishedAt handle productType status tags
      templateSuffix title vendor
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
VARIANTS = """
query Variants($first: Int!, $after: String, $query: String) {
  productVariants(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes {
      id legacyResourceId barcode compareAtPrice createdAt updatedAt inventoryPolicy inventoryQuantity position
      price sku taxable title
      selectedOptions { name value }
      product { legacyResourceId }
      inventoryItem { legacyResourceId requiresShipping tracked measurement { weight { unit value } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
LOCATIONS = """
query Locations($first: Int!, $after: String) {
  locations(first: $first, after: $after, includeInactive: true, includeLegacy: true, sortKey: ID) {
    nodes {
      id legacyResourceId name isActive isFulfillmentService createdAt updatedAt
      address { address1 address2 city country countryCode phone province provinceCode zip }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
EVENTS = """
query Deleted($first: Int!, $after: String, $query: String) {
  events(first: $first, after: $after, query: $query, sortKey: CREATED_AT) {
    nodes { id action createdAt ... on BasicEvent { subjectId subjectType } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
METAFIELDS = """
query Metafields($first: Int!, $after: String) {
  products(first: $first, after: $after, sortKey: UPDATED_AT) {
    nodes {
      id
      metafields(first: 50) {
        nodes { id legacyResourceId namespace key type value compareDigest createdAt updatedAt }
        pageInfo { hasNextPage endCursor }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
PUBLICATIONS = """
query Publications($first: Int!) {
  products(first: $first, sortKey: UPDATED_AT) {
    nodes {
      legacyResourceId
      resourcePublicationsV2(first: 20) { nodes { isPublished publication { id catalog { title } } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
PREFLIGHT = """
query Preflight {
  shop {
    id name myshopifyDomain currencyCode ianaTimezone weightUnit taxesIncluded
    plan { publicDisplayName shopifyPlus partnerDevelopment }
  }
  currentAppInstallation { accessScopes { handle } }
  publicApiVersions { handle supported }
}
"""
COUNTS = """
query Counts($customers: String, $orders: String, $products: String) {
  customersCount(query: $customers, limit: null) { count precision }
  ordersCount(query: $orders, limit: null) { count precision }
  productsCount(query: $products, limit: null) { count precision }
  productVariantsCount(limit: null) { count precision }
}
"""
PROBE = "query Probe($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }"
IDS = """
query Ids($first: Int!, $after: String, $query: String, $reverse: Boolean) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT, reverse: $reverse) {
    nodes { id updatedAt createdAt } pageInfo { hasNextPage endCursor }
  }
}
"""
