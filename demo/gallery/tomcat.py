# SPDX-License-Identifier: MIT
"""Tomcat: a servlet container on the Java machine. A few threads accept and wait for all connections, and one of 200
serves a request; beside them run the machine's compilers and collectors.
"""

import os

import gallery

HOME = "/usr/share/tomcat10"
SERVLETS = """<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0">
<servlet><servlet-name>default</servlet-name><servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class>
<load-on-startup>1</load-on-startup></servlet>
<servlet><servlet-name>jsp</servlet-name><servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class>
<load-on-startup>3</load-on-startup></servlet>
<servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
<servlet-mapping><servlet-name>jsp</servlet-name><url-pattern>*.jsp</url-pattern></servlet-mapping></web-app>
"""
# What a Java thread does to its own stack, beside garbage, a sleep and a lock.
PAGE = """<%!
static int deep(int n) { return deep(n + 1) + 1; }
static long made;
static synchronized void count(byte[] garbage) { made += garbage.length; }
%><%
String end = "none";
try { deep(0); } catch (StackOverflowError error) { end = "overflow"; }
for (int i = 0; i < 100; i++) count(new byte[10000]);
Thread.sleep(2);
%><%= end %>"""


class Tomcat(gallery.Server):
    packages = ["tomcat10", "curl"]
    programs = ["java", f"{HOME}/bin/catalina.sh", "curl", "wrk"]
    threads = "a pool, one a request"
    seconds_to_start = 40
    seconds_to_warm_up = 8  # most of its compilers' work

    def prepare(self):
        for folder in ("conf", "webapps", "logs", "work", "temp"):
            os.mkdir(self.path(folder))
        self.sums = self.files("webapps/ROOT")
        self.write("webapps/ROOT/small", "x" * 1024)
        self.write("webapps/ROOT/page.jsp", PAGE)
        self.write("conf/web.xml", SERVLETS)
        self.write("conf/server.xml", f"""<Server port="-1"><Service name="Catalina">
<Connector port="{self.port}" address="127.0.0.1" maxKeepAliveRequests="-1" acceptCount="1000"/>
<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>
</Service></Server>
""")

    def command(self):
        return ["java", "-Xmx512m", "-cp", f"{HOME}/bin/bootstrap.jar:{HOME}/bin/tomcat-juli.jar",
                f"-Dcatalina.home={HOME}", f"-Dcatalina.base={self.folder}", f"-Djava.io.tmpdir={self.path('temp')}",
                "org.apache.catalina.startup.Bootstrap", "start"]

    def check(self):
        base = f"http://127.0.0.1:{self.port}/"
        self.fetch(self.sums, base)
        self.many(200, lambda _: self.expect("page.jsp", self.ask("curl", "-qsf", base + "page.jsp"), "overflow"))

    def load(self, seconds):
        return gallery.loads.HttpLoad(seconds, "/small")
