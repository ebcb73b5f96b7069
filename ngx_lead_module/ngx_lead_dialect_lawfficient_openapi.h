
/*
 * Copyright (C) the ngx_lead authors
 *
 * Lawfficient: the answer to GET /api/openapi.json, an OpenAPI 3.1 document
 * of what this dialect serves.  Whoever changes a route changes this: a unit
 * test compares.
 */


#ifndef _NGX_LEAD_DIALECT_LAWFFICIENT_OPENAPI_H_INCLUDED_
#define _NGX_LEAD_DIALECT_LAWFFICIENT_OPENAPI_H_INCLUDED_


#define NGX_LEAD_LAW_OPENAPI                                                  \
    "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Lawfficient leads API\","   \
    "\"version\":\"2026-07-01\",\"description\":\"Leads of one firm, named "  \
    "by the key. Ids of other firms are not found.\"},\"servers\":[{\"url\""  \
    ":\"/\"}],\"security\":[{\"key\":[]}],\"paths\":{\"/api/leads\":{"        \
    "\"get\":{\"operationId\":\"listLeads\",\"summary\":"                     \
    "\"List leads, newest first\",\"parameters\":[{\"name\":\"limit\","       \
    "\"in\":\"query\",\"description\":"                                       \
    "\"Page size, 1 to 200; anything else is 50\",\"schema\":{\"type\":"      \
    "\"integer\",\"minimum\":1,\"maximum\":200,\"default\":50}},{\"name\":"   \
    "\"cursor\",\"in\":\"query\",\"description\":"                            \
    "\"next_cursor of the page before\",\"schema\":{\"type\":\"string\"}},{"  \
    "\"name\":\"status\",\"in\":\"query\",\"description\":"                   \
    "\"Key of a status\",\"schema\":{\"type\":\"string\"}},{\"name\":"        \
    "\"source\",\"in\":\"query\",\"description\":\"Exact source\","           \
    "\"schema\":{\"type\":\"string\"}},{\"name\":\"assignee\",\"in\":"        \
    "\"query\",\"description\":\"Assigned firm member\",\"schema\":{"         \
    "\"type\":\"string\",\"format\":\"uuid\"}},{\"name\":\"q\",\"in\":"       \
    "\"query\",\"description\":\"Part of a name, email or phone\","           \
    "\"schema\":{\"type\":\"string\"}},{\"$ref\":"                            \
    "\"#/components/parameters/Version\"}],\"responses\":{\"200\":{"          \
    "\"description\":\"A page\",\"headers\":{\"Lawfficient-Version\":{"       \
    "\"$ref\":\"#/components/headers/Version\"}},\"content\":{"               \
    "\"application/json\":{\"schema\":{\"$ref\":"                             \
    "\"#/components/schemas/Page\"}}}},\"400\":{\"$ref\":"                    \
    "\"#/components/responses/Invalid\"},\"401\":{\"$ref\":"                  \
    "\"#/components/responses/Unauthorized\"},\"403\":{\"$ref\":"             \
    "\"#/components/responses/Forbidden\"},\"429\":{\"$ref\":"                \
    "\"#/components/responses/RateLimited\"},\"500\":{\"$ref\":"              \
    "\"#/components/responses/Internal\"},\"503\":{\"$ref\":"                 \
    "\"#/components/responses/Unavailable\"}}},\"post\":{\"operationId\":"    \
    "\"createLead\",\"summary\":\"Create a lead; with an ingestion key, "     \
    "deliver one\",\"parameters\":[{\"name\":\"Idempotency-Key\",\"in\":"     \
    "\"header\",\"description\":\"A repeat returns the original lead\","      \
    "\"schema\":{\"type\":\"string\",\"maxLength\":255}},{\"$ref\":"          \
    "\"#/components/parameters/Version\"}],\"requestBody\":{\"required\":tr"  \
    "ue,\"content\":{\"application/json\":{\"schema\":{\"oneOf\":[{\"$ref\""  \
    ":\"#/components/schemas/LeadCreate\"},{\"$ref\":"                        \
    "\"#/components/schemas/Delivery\"}]}}}},\"responses\":{\"200\":{"        \
    "\"description\":\"Of a delivery: the lead of this externalId was "       \
    "updated\",\"content\":{\"application/json\":{\"schema\":{\"$ref\":"      \
    "\"#/components/schemas/Delivered\"}}}},\"201\":{\"description\":"        \
    "\"The lead; of a delivery: created\",\"headers\":{"                      \
    "\"Lawfficient-Version\":{\"$ref\":\"#/components/headers/Version\"}},"   \
    "\"content\":{\"application/json\":{\"schema\":{\"oneOf\":[{\"$ref\":"    \
    "\"#/components/schemas/Lead\"},{\"$ref\":"                               \
    "\"#/components/schemas/Delivered\"}]}}}},\"400\":{\"$ref\":"             \
    "\"#/components/responses/Invalid\"},\"401\":{\"$ref\":"                  \
    "\"#/components/responses/Unauthorized\"},\"403\":{\"$ref\":"             \
    "\"#/components/responses/Forbidden\"},\"409\":{\"$ref\":"                \
    "\"#/components/responses/NoOpenStage\"},\"413\":{\"$ref\":"              \
    "\"#/components/responses/TooLarge\"},\"422\":{\"$ref\":"                 \
    "\"#/components/responses/Unprocessable\"},\"429\":{\"$ref\":"            \
    "\"#/components/responses/RateLimited\"},\"500\":{\"$ref\":"              \
    "\"#/components/responses/Internal\"},\"503\":{\"$ref\":"                 \
    "\"#/components/responses/Unavailable\"}}}},\"/api/leads/{id}\":{"        \
    "\"get\":{\"operationId\":\"getLead\",\"summary\":\"Get a lead\","        \
    "\"parameters\":[{\"$ref\":\"#/components/parameters/Id\"},{\"$ref\":"    \
    "\"#/components/parameters/Version\"}],\"responses\":{\"200\":{"          \
    "\"description\":\"The lead\",\"headers\":{\"Lawfficient-Version\":{"     \
    "\"$ref\":\"#/components/headers/Version\"}},\"content\":{"               \
    "\"application/json\":{\"schema\":{\"$ref\":"                             \
    "\"#/components/schemas/Lead\"}}}},\"401\":{\"$ref\":"                    \
    "\"#/components/responses/Unauthorized\"},\"403\":{\"$ref\":"             \
    "\"#/components/responses/Forbidden\"},\"404\":{\"$ref\":"                \
    "\"#/components/responses/NotFound\"},\"429\":{\"$ref\":"                 \
    "\"#/components/responses/RateLimited\"},\"500\":{\"$ref\":"              \
    "\"#/components/responses/Internal\"},\"503\":{\"$ref\":"                 \
    "\"#/components/responses/Unavailable\"}}},\"patch\":{\"operationId\":"   \
    "\"updateLead\",\"summary\":\"Change what is given\",\"parameters\":[{"   \
    "\"$ref\":\"#/components/parameters/Id\"},{\"$ref\":"                     \
    "\"#/components/parameters/Version\"}],\"requestBody\":{\"required\":tr"  \
    "ue,\"content\":{\"application/json\":{\"schema\":{\"$ref\":"             \
    "\"#/components/schemas/LeadPatch\"}}}},\"responses\":{\"200\":{"         \
    "\"description\":\"The lead as it now is\",\"headers\":{"                 \
    "\"Lawfficient-Version\":{\"$ref\":\"#/components/headers/Version\"}},"   \
    "\"content\":{\"application/json\":{\"schema\":{\"$ref\":"                \
    "\"#/components/schemas/Lead\"}}}},\"400\":{\"$ref\":"                    \
    "\"#/components/responses/Invalid\"},\"401\":{\"$ref\":"                  \
    "\"#/components/responses/Unauthorized\"},\"403\":{\"$ref\":"             \
    "\"#/components/responses/Forbidden\"},\"404\":{\"$ref\":"                \
    "\"#/components/responses/NotFound\"},\"413\":{\"$ref\":"                 \
    "\"#/components/responses/TooLarge\"},\"422\":{\"$ref\":"                 \
    "\"#/components/responses/Unprocessable\"},\"429\":{\"$ref\":"            \
    "\"#/components/responses/RateLimited\"},\"500\":{\"$ref\":"              \
    "\"#/components/responses/Internal\"},\"503\":{\"$ref\":"                 \
    "\"#/components/responses/Unavailable\"}}}},\"/api/leads/{id}/archive\""  \
    ":{\"post\":{\"operationId\":\"archiveLead\",\"summary\":"                \
    "\"Archive a lead\",\"parameters\":[{\"$ref\":"                           \
    "\"#/components/parameters/Id\"},{\"$ref\":"                              \
    "\"#/components/parameters/Version\"}],\"responses\":{\"200\":{"          \
    "\"description\":\"The lead\",\"headers\":{\"Lawfficient-Version\":{"     \
    "\"$ref\":\"#/components/headers/Version\"}},\"content\":{"               \
    "\"application/json\":{\"schema\":{\"$ref\":"                             \
    "\"#/components/schemas/Lead\"}}}},\"401\":{\"$ref\":"                    \
    "\"#/components/responses/Unauthorized\"},\"403\":{\"$ref\":"             \
    "\"#/components/responses/Forbidden\"},\"404\":{\"$ref\":"                \
    "\"#/components/responses/NotFound\"},\"429\":{\"$ref\":"                 \
    "\"#/components/responses/RateLimited\"},\"500\":{\"$ref\":"              \
    "\"#/components/responses/Internal\"},\"503\":{\"$ref\":"                 \
    "\"#/components/responses/Unavailable\"}}}},"                             \
    "\"/api/leads/{id}/unarchive\":{\"post\":{\"operationId\":"               \
    "\"unarchiveLead\",\"summary\":\"Take a lead out of the archive\","       \
    "\"parameters\":[{\"$ref\":\"#/components/parameters/Id\"},{\"$ref\":"    \
    "\"#/components/parameters/Version\"}],\"responses\":{\"200\":{"          \
    "\"description\":\"The lead\",\"headers\":{\"Lawfficient-Version\":{"     \
    "\"$ref\":\"#/components/headers/Version\"}},\"content\":{"               \
    "\"application/json\":{\"schema\":{\"$ref\":"                             \
    "\"#/components/schemas/Lead\"}}}},\"401\":{\"$ref\":"                    \
    "\"#/components/responses/Unauthorized\"},\"403\":{\"$ref\":"             \
    "\"#/components/responses/Forbidden\"},\"404\":{\"$ref\":"                \
    "\"#/components/responses/NotFound\"},\"429\":{\"$ref\":"                 \
    "\"#/components/responses/RateLimited\"},\"500\":{\"$ref\":"              \
    "\"#/components/responses/Internal\"},\"503\":{\"$ref\":"                 \
    "\"#/components/responses/Unavailable\"}}}},\"/api/openapi.json\":{"      \
    "\"get\":{\"operationId\":\"getOpenApi\",\"summary\":\"This document\","  \
    "\"security\":[],\"parameters\":[{\"$ref\":"                              \
    "\"#/components/parameters/Version\"}],\"responses\":{\"200\":{"          \
    "\"description\":\"OpenAPI 3.1\",\"headers\":{\"Lawfficient-Version\":{"  \
    "\"$ref\":\"#/components/headers/Version\"}},\"content\":{"               \
    "\"application/json\":{\"schema\":{\"type\":\"object\"}}}}}}}},"          \
    "\"components\":{\"securitySchemes\":{\"key\":{\"type\":\"http\","        \
    "\"scheme\":\"bearer\",\"description\":\"A firm's API key (scopes "       \
    "leads:read, leads:write), or a source's ingestion key\"}},\"headers\":"  \
    "{\"Version\":{\"description\":\"The version asked for, or the current "  \
    "one; not in answers to ingestion keys\",\"schema\":{\"type\":"           \
    "\"string\"}}},\"parameters\":{\"Version\":{\"name\":"                    \
    "\"Lawfficient-Version\",\"in\":\"header\",\"description\":\"Echoed\","   \
    "\"schema\":{\"type\":\"string\",\"examples\":[\"2026-07-01\"]}},\"Id\""  \
    ":{\"name\":\"id\",\"in\":\"path\",\"required\":true,\"schema\":{"        \
    "\"type\":\"string\",\"format\":\"uuid\"}}},\"schemas\":{\"Status\":{"    \
    "\"type\":\"object\",\"required\":[\"key\",\"name\"],\"properties\":{"    \
    "\"key\":{\"type\":\"string\"},\"name\":{\"type\":\"string\"}}},"         \
    "\"Data\":{\"type\":\"object\",\"description\":"                          \
    "\"Fields the firm defines; others are dropped\","                        \
    "\"additionalProperties\":{\"type\":\"string\"}},\"Lead\":{\"type\":"     \
    "\"object\",\"required\":[\"id\",\"first_name\",\"last_name\",\"email\""  \
    ",\"phone\",\"source\",\"status\",\"assignee_id\",\"archived\","          \
    "\"created_at\",\"last_activity_at\",\"data\"],\"properties\":{\"id\":{"  \
    "\"type\":\"string\",\"format\":\"uuid\"},\"first_name\":{\"type\":"      \
    "\"string\"},\"last_name\":{\"type\":\"string\"},\"email\":{\"type\":"    \
    "\"string\",\"description\":\"Empty if there is none\"},\"phone\":{"      \
    "\"type\":\"string\",\"description\":\"Empty if there is none\"},"        \
    "\"source\":{\"type\":\"string\"},\"status\":{\"$ref\":"                  \
    "\"#/components/schemas/Status\"},\"assignee_id\":{\"type\":[\"string\""  \
    ",\"null\"],\"format\":\"uuid\"},\"archived\":{\"type\":\"boolean\"},"    \
    "\"created_at\":{\"type\":\"string\",\"format\":\"date-time\"},"          \
    "\"last_activity_at\":{\"type\":\"string\",\"format\":\"date-time\"},"    \
    "\"data\":{\"$ref\":\"#/components/schemas/Data\"}}},\"Page\":{\"type\""  \
    ":\"object\",\"required\":[\"data\",\"next_cursor\"],\"properties\":{"    \
    "\"data\":{\"type\":\"array\",\"items\":{\"$ref\":"                       \
    "\"#/components/schemas/Lead\"}},\"next_cursor\":{\"type\":[\"string\","  \
    "\"null\"]}}},\"LeadCreate\":{\"type\":\"object\",\"description\":"       \
    "\"An email or a phone number is needed\",\"required\":[\"first_name\","  \
    "\"last_name\",\"source\"],\"properties\":{\"first_name\":{\"type\":"     \
    "\"string\"},\"last_name\":{\"type\":\"string\"},\"source\":{\"type\":"   \
    "\"string\"},\"email\":{\"type\":[\"string\",\"null\"]},\"phone\":{"      \
    "\"type\":[\"string\",\"null\"]},\"assignee_id\":{\"type\":[\"string\","  \
    "\"null\"],\"description\":\"A firm member (UUID); empty is null\"},"     \
    "\"data\":{\"type\":\"object\"}}},\"LeadPatch\":{\"type\":\"object\","    \
    "\"description\":\"Absent members stay as they are\",\"properties\":{"    \
    "\"first_name\":{\"type\":\"string\"},\"last_name\":{\"type\":"           \
    "\"string\"},\"source\":{\"type\":\"string\"},\"email\":{\"type\":["      \
    "\"string\",\"null\"]},\"phone\":{\"type\":[\"string\",\"null\"]},"       \
    "\"status\":{\"type\":\"string\",\"description\":\"Key of a status\"},"   \
    "\"assignee_id\":{\"type\":[\"string\",\"null\"]},\"data\":{\"type\":"    \
    "\"object\",\"description\":\"Merged over what is stored\"}}},"           \
    "\"Delivery\":{\"type\":\"object\",\"description\":\"Of an ingestion "    \
    "key, or as its source maps it; other members are kept\",\"required\":["  \
    "\"firstName\",\"lastName\"],\"properties\":{\"firstName\":{\"type\":["   \
    "\"string\",\"number\"]},\"lastName\":{\"type\":[\"string\",\"number\"]"  \
    "},\"email\":{\"type\":\"string\"},\"phone\":{\"type\":[\"string\","      \
    "\"number\"]},\"externalId\":{\"type\":[\"string\",\"number\"]}}},"       \
    "\"Delivered\":{\"type\":\"object\",\"required\":[\"externalId\","        \
    "\"status\",\"leadId\"],\"properties\":{\"externalId\":{\"type\":["       \
    "\"string\",\"null\"]},\"status\":{\"type\":\"string\",\"enum\":["        \
    "\"created\",\"updated\"]},\"leadId\":{\"type\":\"string\",\"format\":"   \
    "\"uuid\"}}},\"Error\":{\"oneOf\":[{\"type\":\"object\",\"required\":["   \
    "\"error\"],\"properties\":{\"error\":{\"type\":\"object\",\"required\""  \
    ":[\"code\",\"message\"],\"properties\":{\"code\":{\"type\":\"string\"}"  \
    ",\"message\":{\"type\":\"string\"}}}}},{\"type\":\"object\","            \
    "\"description\":\"To an ingestion key\",\"required\":[\"error\"],"       \
    "\"properties\":{\"error\":{\"type\":\"string\"}}}]}},\"responses\":{"    \
    "\"Invalid\":{\"description\":\"invalid_json, invalid_request, "          \
    "invalid_cursor; of a delivery: also what is 422 elsewhere\","            \
    "\"content\":{\"application/json\":{\"schema\":{\"$ref\":"                \
    "\"#/components/schemas/Error\"}}}},\"Unauthorized\":{\"description\":"   \
    "\"missing_key, invalid_key\",\"content\":{\"application/json\":{"        \
    "\"schema\":{\"$ref\":\"#/components/schemas/Error\"}}}},\"Forbidden\":"  \
    "{\"description\":\"key_disabled, insufficient_scope\",\"content\":{"     \
    "\"application/json\":{\"schema\":{\"$ref\":"                             \
    "\"#/components/schemas/Error\"}}}},\"NotFound\":{\"description\":"       \
    "\"not_found\",\"content\":{\"application/json\":{\"schema\":{\"$ref\":"  \
    "\"#/components/schemas/Error\"}}}},\"NoOpenStage\":{\"description\":"    \
    "\"no_open_stage\",\"content\":{\"application/json\":{\"schema\":{"       \
    "\"$ref\":\"#/components/schemas/Error\"}}}},\"TooLarge\":{"              \
    "\"description\":\"payload_too_large: more than 65536 bytes\","           \
    "\"content\":{\"application/json\":{\"schema\":{\"$ref\":"                \
    "\"#/components/schemas/Error\"}}}},\"Unprocessable\":{\"description\":"  \
    "\"invalid_request\",\"content\":{\"application/json\":{\"schema\":{"     \
    "\"$ref\":\"#/components/schemas/Error\"}}}},\"RateLimited\":{"           \
    "\"description\":\"rate_limited; Retry-After says when\",\"content\":{"   \
    "\"application/json\":{\"schema\":{\"$ref\":"                             \
    "\"#/components/schemas/Error\"}}}},\"Internal\":{\"description\":"       \
    "\"internal_error\",\"content\":{\"application/json\":{\"schema\":{"      \
    "\"$ref\":\"#/components/schemas/Error\"}}}},\"Unavailable\":{"           \
    "\"description\":\"unavailable; Retry-After says when\",\"content\":{"    \
    "\"application/json\":{\"schema\":{\"$ref\":"                             \
    "\"#/components/schemas/Error\"}}}}}}}"


#endif /* _NGX_LEAD_DIALECT_LAWFFICIENT_OPENAPI_H_INCLUDED_ */
