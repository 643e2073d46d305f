/** What an application uses. */
package org.llamaj;
